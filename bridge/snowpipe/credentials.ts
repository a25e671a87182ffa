import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeJwt, SignJWT } from 'jose'
import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { SnowflakeSettings } from '../config.ts'
import { accountInJwt } from './account.ts'

/** What goes into the `Authorization` header, and what kind of token it is. */
export interface Credential {
  readonly token: string
  readonly kind: 'KEYPAIR_JWT' | 'PROGRAMMATIC_ACCESS_TOKEN' | 'OAUTH'
}

/** Who we are towards the account host. */
export interface Identity {
  /** A PAT is sent as it is to both hosts; a key-pair JWT is exchanged for a scoped token. */
  readonly exchanged: boolean
  /** When a person must have replaced it, epoch milliseconds; `null` when it does not end, or does not say. */
  readonly expiresAt: number | null
  credential(): Promise<Credential>
  /** The next `credential()` makes a new one. */
  forget(): void
}

/** An hour is the longest a JWT may live [documented]; less, so that a clock a little off does no harm. */
const JWT_LIFE_S = 50 * 60
/** Signed a little in the past, for servers whose clock is behind ours. */
const BACKDATE_S = 30
const RENEW_BEFORE_END_S = 5 * 60
/** A `Date` goes no further. */
const LAST_SECOND = 8.64e12
const UNREADABLE_LIFE_MS = 10 * 60_000
const HOW_TO_MAKE_A_KEY =
  'make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out snowhat_key.p8'

export function createIdentity(settings: SnowflakeSettings, clock: Clock): Identity {
  if (settings.pat !== '') {
    const credential: Credential = { token: settings.pat, kind: 'PROGRAMMATIC_ACCESS_TOKEN' }
    const expiresAt = expiryIn(settings.pat) ?? null
    return { exchanged: false, expiresAt, credential: async () => credential, forget: () => undefined }
  }
  return keyPairIdentity(privateKeyOf(settings), settings, clock)
}

function keyPairIdentity(key: KeyObject, settings: SnowflakeSettings, clock: Clock): Identity {
  const subject = `${accountInJwt(settings.account)}.${settings.user.toUpperCase()}`
  const issuer = `${subject}.${fingerprint(createPublicKey(key))}`
  let current: { credential: Credential; renewAt: number } | undefined
  return {
    exchanged: true,
    expiresAt: null,
    forget: () => {
      current = undefined
    },
    credential: async () => {
      const now = clock.now() / 1000
      if (current !== undefined && now < current.renewAt) return current.credential
      const issued = Math.floor(now) - BACKDATE_S
      const token = await new SignJWT({})
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(subject)
        .setIssuedAt(issued)
        .setExpirationTime(issued + JWT_LIFE_S)
        .sign(key)
      const credential: Credential = { token, kind: 'KEYPAIR_JWT' }
      current = { credential, renewAt: issued + JWT_LIFE_S - RENEW_BEFORE_END_S }
      return credential
    },
  }
}

/** `SHA256:` and the Base64 of the SHA-256 of the DER SubjectPublicKeyInfo, as `DESC USER` shows it [documented]. */
export function fingerprint(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

/** Whether the settings talk to an emulator: it alone speaks plain HTTP, and takes any key until one is registered. */
export function isEmulator(settings: SnowflakeSettings): boolean {
  return settings.url.startsWith('http://')
}

function privateKeyOf(settings: SnowflakeSettings): KeyObject {
  const pem = settings.private_key
  if (pem === '') {
    if (isEmulator(settings)) return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    throw new SnowhatError('E_CONFIG_INVALID', 'there is no key to sign in to Snowflake with', {
      hint: 'set SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE to a PKCS#8 PEM file, or SNOWHAT_SNOWFLAKE_PAT_FILE to a programmatic access token',
    })
  }
  let key: KeyObject
  try {
    const passphrase = settings.private_key_passphrase
    key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase !== '' && { passphrase }) })
  } catch (error) {
    throw new SnowhatError('E_KEY_INVALID', `the private key cannot be used: ${reasonOf(pem, messageOf(error))}`, {
      cause: error,
      hint: HOW_TO_MAKE_A_KEY,
    })
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < 2048) {
    const what = key.asymmetricKeyType === 'rsa' ? `RSA with ${bits} bits` : `of type ${key.asymmetricKeyType}`
    throw new SnowhatError('E_KEY_INVALID', `the private key is ${what}; Snowflake wants RSA with 2048 or more`, {
      hint: HOW_TO_MAKE_A_KEY,
    })
  }
  return key
}

function reasonOf(pem: string, message: string): string {
  if (pem.includes('PUBLIC KEY')) return 'the file holds a public key'
  if (!pem.includes('PRIVATE KEY')) return 'the file holds no PEM private key ("-----BEGIN PRIVATE KEY-----")'
  if (/passphrase|interrupted|bad decrypt/i.test(message))
    return 'it is encrypted and the passphrase is missing or wrong (SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE)'
  return message
}

/**
 * When a scoped token should be renewed: at 80 % of its life and at least a minute before its end. Its `exp`
 * rules; of a token that cannot be read a short life is assumed [observed lifetimes differ].
 */
export function renewalOf(token: string, now: number): number {
  const lifeMs = (expiryIn(token) ?? now + UNREADABLE_LIFE_MS) - now
  return now + Math.max(0, Math.min(lifeMs * 0.8, lifeMs - 60_000))
}

/** The end a token names if it is a JWT, epoch milliseconds; nothing is verified, that is the server's. */
export function expiryIn(token: string): number | undefined {
  try {
    const { exp } = decodeJwt(token)
    return typeof exp === 'number' && exp <= LAST_SECOND ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}
