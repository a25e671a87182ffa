import type { SnowflakeSettings } from '../../../bridge/config.ts'
import { accountInJwt, canonicalAccount } from '../../../bridge/snowpipe/account.ts'

/** Another reading of an account identifier. */
export interface AccountForm {
  /** As it would be written in `snowflake.account`. */
  readonly account: string
  /** The first part of a JWT's issuer. */
  readonly inJwt: string
}

/**
 * What else a person could have meant by `snowflake.account`, nearest first: `org.account` for ORG-ACCOUNT, a locator whose
 * region was joined to it by a hyphen, a name whose underscores an address has made into hyphens.
 */
export function otherAccounts({
  account,
  account_dot,
  url,
}: Pick<SnowflakeSettings, 'account' | 'account_dot' | 'url'>): AccountForm[] {
  const text = account === '' ? url : account
  const read = (dot: 'region' | 'account') => {
    try {
      return canonicalAccount(text, dot).account
    } catch {
      return undefined
    }
  }
  const asSet = read(account_dot)
  const plain = read('region')
  if (plain === undefined || asSet === undefined) return []
  const [first = '', ...rest] = plain.split('.')
  const [organisation = '', ...name] = first.split('-')
  const candidates = [
    read(account_dot === 'region' ? 'account' : 'region'),
    // An address has hyphens where the account's name has underscores [documented].
    name.length > 1 ? [`${organisation}-${name.join('_')}`, ...rest].join('.') : undefined,
    first.includes('_') && !first.includes('-') ? [first.replace('_', '-'), ...rest].join('.') : undefined,
    first.includes('-') && name.length > 1 ? `${organisation}.${name.join('-')}` : undefined,
  ]
  const forms = candidates
    .filter((one) => one !== undefined)
    .map((one) => ({ account: one, inJwt: accountInJwt(one) }))
    .filter(({ inJwt }) => inJwt !== accountInJwt(asSet))
  return [...new Map(forms.map((form) => [form.inJwt, form])).values()]
}
