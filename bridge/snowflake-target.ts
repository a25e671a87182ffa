import { SnowhatError } from '../src/errors.ts'
import { withoutUserInfo } from '../src/log.ts'
import type { SnowflakeSettings } from './config.ts'
import { canonicalAccount } from './snowpipe/account.ts'
import { checkWayOut } from './snowpipe/dispatcher.ts'

/** Where `snowhat emulator` listens unless told otherwise. */
export const LOCAL_EMULATOR = 'http://127.0.0.1:8085'

/**
 * Settings made complete, the account in its canonical form. With neither account nor address nor credentials, the bridge talks
 * to the emulator on this machine, so that the programs work together before anybody has an account.
 */
export function resolveSnowflake(settings: SnowflakeSettings): SnowflakeSettings {
  const { account, url, private_key, pat, oauth_token, pipes } = settings
  checkWayOut(settings)
  if (pipes.length === 0) throw new SnowhatError('E_CONFIG_INVALID', 'snowflake.pipes names no pipe')
  if (url !== '' && !/^https?:\/\/[^/@]+\/?$/.test(url))
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `snowflake.url ${withoutUserInfo(url)} is not an address such as https://host or http://host:8085`,
    )
  refuseEmptyFiles(settings)
  if (account === '' && url === '' && private_key === '' && pat === '' && oauth_token === '')
    return { ...settings, account: 'EMULATOR', url: LOCAL_EMULATOR }
  if (url.startsWith('http://')) return withAccount(settings, account === '' ? 'EMULATOR' : account)
  if (account === '' && /\.snowflakecomputing\.(com|cn)\/?$/i.test(url)) return withAccount(settings, url)
  if (account === '')
    throw new SnowhatError('E_CONFIG_INVALID', 'no Snowflake account is set', {
      hint: 'set SNOWHAT_SNOWFLAKE_ACCOUNT to the account identifier, such as MYORG-MYACCOUNT',
    })
  return withAccount(settings, account)
}

function withAccount(settings: SnowflakeSettings, text: string): SnowflakeSettings {
  const { account, url } = canonicalAccount(text, settings.account_dot)
  return { ...settings, account, url: settings.url !== '' ? settings.url : (url ?? '') }
}

/** A secret whose file holds nothing would otherwise count as not set, and something else be used in its place. */
function refuseEmptyFiles(settings: SnowflakeSettings): void {
  for (const name of ['private_key', 'pat', 'oauth_token'] as const)
    if (settings[`${name}_file`] !== '' && settings[name].trim() === '')
      throw new SnowhatError('E_CONFIG_INVALID', `${settings[`${name}_file`]} (snowflake.${name}_file) is empty`, {
        hint: 'is the path right, and was what should be in it ever written?',
      })
}
