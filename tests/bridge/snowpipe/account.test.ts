import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SnowflakeSettings } from '../../../bridge/config.ts'
import { resolveSnowflake } from '../../../bridge/snowflake-target.ts'
import { accountHint, accountHost, accountInJwt, canonicalAccount } from '../../../bridge/snowpipe/account.ts'
import type { SnowhatError } from '../../../src/errors.ts'
import { snowflakeSettings } from '../../support/bridge-settings.ts'

const hostOf = (settings: SnowflakeSettings) =>
  settings.url === '' ? accountHost(settings.account) : new URL(settings.url).host

describe('an account', () => {
  it.each([
    ['ACME-PROD1', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['acme-prod1', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['  acme-prod1\n', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['ACME-MY_ACCT', 'ACME-MY_ACCT', 'acme-my-acct.snowflakecomputing.com'],
    ['xy12345', 'XY12345', 'xy12345.snowflakecomputing.com'],
    ['xy12345.eu-west-1', 'XY12345', 'xy12345.eu-west-1.snowflakecomputing.com'],
    ['xy12345.eu-central-1.aws', 'XY12345', 'xy12345.eu-central-1.aws.snowflakecomputing.com'],
    ['xy12345.east-us-2.azure', 'XY12345', 'xy12345.east-us-2.azure.snowflakecomputing.com'],
    ['acme-eu.global', 'ACME', 'acme-eu.global.snowflakecomputing.com'],
    ['acme-prod1.privatelink', 'ACME-PROD1', 'acme-prod1.privatelink.snowflakecomputing.com'],
    ['https://xy.eu-west-1.snowflakecomputing.com', 'XY', 'xy.eu-west-1.snowflakecomputing.com'],
    ['https://XY.eu-west-1.snowflakecomputing.com/console/login#/', 'XY', 'xy.eu-west-1.snowflakecomputing.com'],
    ['acme-prod1.snowflakecomputing.com:443/', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['https://acme-prod1.snowflakecomputing.cn', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.cn'],
    ['https://app.snowflake.com/acme/prod1/#/homepage', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['app.snowflake.com/eu-west-1/xy12345/', 'XY12345', 'xy12345.eu-west-1.snowflakecomputing.com'],
  ])('written %j is %s in a JWT, and its host is %s', (account, inJwt, host) => {
    const settings = resolveSnowflake(snowflakeSettings({ account, private_key: 'PEM' }))
    expect([accountInJwt(settings.account), hostOf(settings)]).toEqual([inJwt, host])
  })

  it.each([
    ['acme.prod1', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['acme.my_acct.privatelink', 'ACME-MY_ACCT', 'acme-my-acct.privatelink.snowflakecomputing.com'],
    ['acme-prod1', 'ACME-PROD1', 'acme-prod1.snowflakecomputing.com'],
    ['acme-prod1.privatelink', 'ACME-PROD1', 'acme-prod1.privatelink.snowflakecomputing.com'],
    ['https://xy.eu-west-1.snowflakecomputing.com', 'XY', 'xy.eu-west-1.snowflakecomputing.com'],
    ['app.snowflake.com/eu-west-1/xy12345/', 'XY12345', 'xy12345.eu-west-1.snowflakecomputing.com'],
  ])('written %s is %s where the settings say that an account follows the dot', (account, inJwt, host) => {
    const settings = resolveSnowflake(snowflakeSettings({ account, account_dot: 'account', private_key: 'PEM' }))
    expect([accountInJwt(settings.account), hostOf(settings)]).toEqual([inJwt, host])
  })

  it('may be given by its address alone', () => {
    const url = 'https://acme-my-acct.eu-west-1.snowflakecomputing.com'
    expect(resolveSnowflake(snowflakeSettings({ url, private_key: 'PEM' }))).toMatchObject({
      account: 'ACME-MY-ACCT.EU-WEST-1',
      url,
    })
  })

  it.each(['acme prod1', 'acme/prod1', '-acme', 'acme-prod1;', 'ä', 'https://', 'user@acme'])(
    'is not what %j says, and that is told in one sentence',
    (account) => {
      const refuse = () => resolveSnowflake(snowflakeSettings({ account, private_key: 'PEM' }))
      expect(refuse).toThrow(`"${account}" is no account identifier`)
      expect(refuse).toThrow(expect.objectContaining({ code: 'E_CONFIG_INVALID' } satisfies Partial<SnowhatError>))
    },
  )

  it('in canonical form stays as it is, and gives a host name that TLS can have', () => {
    const word = fc.stringMatching(/^[a-z0-9][a-z0-9_]{0,12}$/)
    const identifier = fc.oneof(
      fc.tuple(word, word).map((words) => words.join('-')),
      fc
        .tuple(word, fc.constantFrom('.eu-west-1', '.eu-central-1.aws', '.privatelink', ''))
        .map((words) => words.join('')),
    )
    const around = fc.constantFrom(
      (a: string) => a,
      (a: string) => ` ${a} `,
      (a: string) => `https://${a}.snowflakecomputing.com/x`,
    )
    fc.assert(
      fc.property(identifier, around, (name, paste) => {
        const { account } = canonicalAccount(paste(name), 'region')
        expect(account).toBe(name.toUpperCase())
        expect(canonicalAccount(account, 'region')).toEqual({ account })
        expect(accountHost(account)).toMatch(/^[a-z0-9.-]+$/)
        expect(accountInJwt(account)).not.toContain('.')
      }),
    )
  })

  it.each([
    ['XY12345.EU-WEST-1', ['XY12345 in the JWT', 'EU-WEST-1 is a region', 'write XY12345-EU-WEST-1', 'account_dot']],
    ['XY12345', ['right for a locator', 'ORG-XY12345']],
    ['ACME-PROD1', ['ACME-PROD1 in the JWT']],
    ['ACME-EU.GLOBAL', ['ACME in the JWT']],
  ])('that was refused, %s, is explained: which form it was, and what else it could be', (account, words) => {
    for (const word of words) expect(accountHint(account)).toContain(word)
  })
})
