import { SnowhatError } from '../src/errors.ts'
import type { SnowflakeSettings } from './config.ts'
import { checkWayOut } from './snowpipe/dispatcher.ts'

/** Where `snowhat emulator` listens unless told otherwise. */
export const LOCAL_EMULATOR = 'http://127.0.0.1:8085'

/**
 * Settings made complete. With neither account nor address nor credentials, the bridge talks to the emulator on
 * this machine, so that the programs work together before anybody has an account.
 */
export function resolveSnowflake(settings: SnowflakeSettings): SnowflakeSettings {
  const { account, url, private_key, pat, pipes } = settings
  checkWayOut(settings)
  if (pipes.length === 0) throw new SnowhatError('E_CONFIG_INVALID', 'snowflake.pipes names no pipe')
  if (url !== '' && !/^https?:\/\/[^/]+\/?$/.test(url))
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `snowflake.url ${url} is not an address such as https://host or http://host:8085`,
    )
  if (account === '' && url === '' && private_key === '' && pat === '')
    return { ...settings, account: 'EMULATOR', url: LOCAL_EMULATOR }
  if (url.startsWith('http://')) return { ...settings, account: account === '' ? 'EMULATOR' : account }
  if (account === '')
    throw new SnowhatError('E_CONFIG_INVALID', 'no Snowflake account is set', {
      hint: 'set SNOWHAT_SNOWFLAKE_ACCOUNT to the account identifier, such as MYORG-MYACCOUNT',
    })
  return settings
}
