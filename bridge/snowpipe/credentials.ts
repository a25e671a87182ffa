import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { type Log, silentLog } from '../../src/log.ts'
import type { SnowflakeSettings } from '../config.ts'
import type { Answer } from './answer.ts'
import { accessTokenIdentity } from './sign-in/access-token.ts'
import { keyPairIdentity, throwAwayKey } from './sign-in/key-pair.ts'

/** What goes into the `Authorization` header, and what kind of token it is. */
export interface Credential {
  readonly token: string
  readonly kind: 'KEYPAIR_JWT' | 'PROGRAMMATIC_ACCESS_TOKEN' | 'OAUTH'
}

/** Who we are towards the account host. */
export interface Identity {
  /** A PAT or an OAuth token is sent as it is to both hosts; a key-pair JWT is exchanged for a scoped token. */
  readonly exchanged: boolean
  /** When somebody must have replaced it, epoch milliseconds; `null` when it does not end, or does not say. */
  readonly expiresAt: number | null
  /** What to look at when it is refused: one sentence. */
  readonly hint: string
  /** Milliseconds the server's clock was found to be ahead of ours; 0 when they agree, or nothing is known. */
  readonly clockSkewMs: number
  /** The one to use now. Files are looked at: it may be another one than before. */
  credential(): Promise<Credential>
  /** It was not taken. True when the next one differs by more than its age, so that it is worth asking again at once. */
  refused(answer: Answer): Promise<boolean>
}

export type CredentialKind = 'pat' | 'oauth_token' | 'private_key'

/** A token wins over a key [as in the first system]. Throws `E_CONFIG_INVALID` when there are two tokens. */
export function credentialKindOf(settings: SnowflakeSettings): CredentialKind {
  if (settings.pat !== '' && settings.oauth_token !== '')
    throw new SnowhatError('E_CONFIG_INVALID', 'snowflake.pat and snowflake.oauth_token are both set', {
      hint: 'keep one of them',
    })
  if (settings.pat !== '') return 'pat'
  return settings.oauth_token !== '' ? 'oauth_token' : 'private_key'
}

/** Throws `E_CONFIG_INVALID` when there is nothing to sign in with, and `E_KEY_INVALID`. */
export function createIdentity(settings: SnowflakeSettings, clock: Clock, log: Log = silentLog()): Identity {
  const { pat, pat_file, oauth_token, oauth_token_file, private_key } = settings
  const kind = credentialKindOf(settings)
  if (kind === 'pat') return accessTokenIdentity('PROGRAMMATIC_ACCESS_TOKEN', { text: pat, file: pat_file }, log)
  if (kind === 'oauth_token') return accessTokenIdentity('OAUTH', { text: oauth_token, file: oauth_token_file }, log)
  if (private_key !== '') return keyPairIdentity(settings, { clock, log })
  if (isEmulator(settings)) return keyPairIdentity({ ...settings, private_key: throwAwayKey() }, { clock, log })
  throw new SnowhatError('E_CONFIG_INVALID', 'there is no key to sign in to Snowflake with', {
    hint: 'set SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE to a PKCS#8 PEM file (snowhat keys new makes one), or SNOWHAT_SNOWFLAKE_PAT_FILE to a programmatic access token',
  })
}

/** Whether the settings talk to an emulator: it alone speaks plain HTTP, and takes any key until one is registered. */
export function isEmulator(settings: SnowflakeSettings): boolean {
  return settings.url.startsWith('http://')
}
