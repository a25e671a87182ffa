import { SnowhatError } from '../../src/errors.ts'
import { withoutUserInfo } from '../../src/log.ts'

/*
 * An account identifier in the forms people have at hand. `canonicalAccount` makes one of two out of all of them: ORG-ACCOUNT,
 * or LOCATOR with region and cloud; a host and a JWT are then made from that. They differ: hosts take no underscores and keep
 * the region, the JWT keeps underscores and drops the region [documented].
 */

/** What follows a dot: nobody can tell LOCATOR.REGION from ORG.ACCOUNT by looking [documented, both forms]. */
export type AccountDot = 'region' | 'account'

const DOMAIN = /\.snowflakecomputing\.(com|cn)$/i
const NAME = /^[A-Z0-9][A-Z0-9_]*(-[A-Z0-9_]+)*(\.[A-Z0-9_-]+)*$/
/** What is left of an address without an account in it. */
const HOST_ALONE = /(^|\.)(SNOWFLAKECOMPUTING|SNOWFLAKE)\.(COM|CN)$/
/** `eu-west-1`, `eu-central-1.aws`, `east-us-2.azure`; a name of an organisation has neither hyphen nor dot [documented]. */
const REGION = /[-.]/

export interface CanonicalAccount {
  /** Upper case, with neither address nor blanks around it. */
  readonly account: string
  /** The account's host where the identifier does not lead to it: the domain of another partition. */
  readonly url?: string
}

/**
 * From a pasted address, lower case, blanks around it, the address of Snowsight, `org.account` where `dot` says so.
 * Throws `E_CONFIG_INVALID`.
 */
export function canonicalAccount(text: string, dot: AccountDot): CanonicalAccount {
  const { name, host, isAddress } = withoutAddress(text.trim())
  const upper = name.toUpperCase()
  const account = dot === 'account' && !isAddress ? organisationFirst(upper) : upper
  if (!NAME.test(account) || HOST_ALONE.test(account))
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `snowflake.account "${withoutUserInfo(text)}" is no account identifier`,
      {
        hint: "it looks like MYORG-MYACCOUNT, or xy12345.eu-west-1; Snowsight shows it under Account details, and SQL: SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME()",
      },
    )
  return { account, ...(host?.toLowerCase().endsWith('.cn') && { url: `https://${host.toLowerCase()}` }) }
}

/** `xy12345.eu-west-1.snowflakecomputing.com`, of an account in its canonical form. */
export function accountHost(account: string): string {
  return `${account.toLowerCase().replaceAll('_', '-')}.snowflakecomputing.com`
}

/** The first part of a JWT's issuer and subject, of an account in its canonical form. */
export function accountInJwt(account: string): string {
  const upper = account.toUpperCase()
  // `.global` accounts: the rule of the official drivers [observed].
  if (upper.includes('.GLOBAL')) return upper.split('-')[0] ?? upper
  return upper.split('.')[0] ?? upper
}

/**
 * The second part. As with other names in the settings, double quotes around it only say that it is to be taken as it is; a JWT
 * has it in upper case all the same [documented].
 */
export function userInJwt(user: string): string {
  const name = user.trim()
  const [, quoted] = /^"(.+)"$/s.exec(name) ?? []
  return (quoted?.replaceAll('""', '"') ?? name).toUpperCase()
}

/** After a refusal: which form was used, and what else the setting could have meant. */
export function accountHint(account: string): string {
  const [first = '', second] = account.toUpperCase().split('.')
  const used = `the account is ${accountInJwt(account)} in the JWT`
  if (second === undefined)
    return first.includes('-')
      ? used
      : `${used}; that is right for a locator, and with an organisation it is written ORG-${first}`
  if (/^(GLOBAL|PRIVATELINK)$/.test(second)) return used
  return `${used}, which is right when ${second} is a region; when it is the account of organisation ${first}, write ${first}-${second} or set snowflake.account_dot to account`
}

/** In an address what follows a dot is never an account. */
function withoutAddress(text: string): { name: string; isAddress: boolean; host?: string } {
  // Snowsight: app.snowflake.com/ORG/ACCOUNT, or app.snowflake.com/REGION/LOCATOR [observed].
  const [, first, second] = /^(?:https?:\/\/)?app\.snowflake\.com\/([^/?#]+)\/([^/?#]+)/i.exec(text) ?? []
  if (first !== undefined && second !== undefined)
    return { name: REGION.test(first) ? `${second}.${first}` : `${first}-${second}`, isAddress: true }
  const host = text.replace(/^https?:\/\//i, '').replace(/[/?#:].*$/, '')
  return DOMAIN.test(host)
    ? { name: host.replace(DOMAIN, ''), host, isAddress: true }
    : { name: text, isAddress: false }
}

/**
 * ORG.ACCOUNT is how drivers write ORG-ACCOUNT [documented]; what follows a second dot, such as privatelink, stays. An
 * organisation's name has no hyphen [documented].
 */
function organisationFirst(name: string): string {
  return name.replace(/^([^.-]+)\./, '$1-')
}
