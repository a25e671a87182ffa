import { SnowhatError } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'
import type { Credential, Identity } from '../credentials.ts'
import { expiryIn } from './expiry.ts'
import { SecretFile } from './secret-file.ts'

const HINTS: Readonly<Record<AccessTokenKind, string>> = {
  PROGRAMMATIC_ACCESS_TOKEN:
    'is the programmatic access token expired, disabled or removed (SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER …), and does a network policy admit this address? A service user needs one',
  OAUTH:
    'is the access token expired? Whoever renews it must write the new one into the file of snowflake.oauth_token_file',
}

/** What a header can carry; tokens have no blanks in them. */
const TOKEN = /^[\x21-\x7e]+$/

export type AccessTokenKind = Exclude<Credential['kind'], 'KEYPAIR_JWT'>

/**
 * A token that is made elsewhere and sent as it is to both hosts: a programmatic access token, or an OAuth access token, which
 * is also what a container in Snowflake finds in its file [documented]. Whoever renews it replaces the file. Throws `E_CONFIG_INVALID`.
 */
export function accessTokenIdentity(
  kind: AccessTokenKind,
  given: { readonly text: string; readonly file: string },
  log: Log,
): Identity {
  const flaw = flawOf(given.text)
  if (flaw !== undefined)
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `the access token${given.file && ` in ${given.file}`} cannot be used: ${flaw}`,
      {
        hint: 'put the token there and nothing else, in one line',
      },
    )
  const secret = new SecretFile(given.text, given.file, log, flawOf)
  const look = async () => {
    const isAnother = await secret.look()
    if (isAnother) log.info({ kind }, 'the access token was replaced; using the new one')
    return isAnother
  }
  return {
    exchanged: false,
    get expiresAt() {
      return expiryIn(secret.text.trim()) ?? null
    },
    hint: HINTS[kind],
    clockSkewMs: 0,
    credential: async () => {
      await look()
      return { token: secret.text.trim(), kind }
    },
    refused: look,
  }
}

function flawOf(text: string): string | undefined {
  if (TOKEN.test(text.trim())) return undefined
  return /[\s\0]/.test(text.trim()) ? 'it is more than one word' : 'it has characters that no token has'
}
