import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { messageOf, SnowhatError } from '../../../src/errors.ts'

/** A private key that Snowflake would take. */
export interface PrivateKey {
  readonly key: KeyObject
  readonly publicKey: KeyObject
  /** Of its public half, as `DESC USER` shows it. */
  readonly fingerprint: string
  readonly bits: number
  readonly form: 'PKCS#8' | 'encrypted PKCS#8' | 'PKCS#1' | 'encrypted PKCS#1'
}

/** Fewer are refused [documented]. */
export const LEAST_BITS = 2048
export const HOW_TO_MAKE_A_KEY = 'make one with: snowhat keys new'

/** From PEM: PKCS#8, encrypted PKCS#8 [documented], and PKCS#1. Throws `E_KEY_INVALID` with the reason in words. */
export function readPrivateKey(pem: string, passphrase: string): PrivateKey {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase !== '' && { passphrase }) })
  } catch (error) {
    throw new SnowhatError('E_KEY_INVALID', `the private key cannot be used: ${reasonOf(pem, messageOf(error))}`, {
      cause: error,
      hint: HOW_TO_MAKE_A_KEY,
    })
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < LEAST_BITS) {
    const what = key.asymmetricKeyType === 'rsa' ? `RSA with ${bits} bits` : `of type ${key.asymmetricKeyType}`
    throw new SnowhatError(
      'E_KEY_INVALID',
      `the private key is ${what}; Snowflake wants RSA with ${LEAST_BITS} or more`,
      { hint: HOW_TO_MAKE_A_KEY },
    )
  }
  const publicKey = createPublicKey(key)
  return { key, publicKey, fingerprint: fingerprint(publicKey), bits, form: formOf(pem) }
}

/** `SHA256:` and the Base64 of the SHA-256 of the DER SubjectPublicKeyInfo, as `DESC USER` shows it [documented]. */
export function fingerprint(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

function formOf(pem: string): PrivateKey['form'] {
  if (pem.includes('BEGIN ENCRYPTED PRIVATE KEY')) return 'encrypted PKCS#8'
  if (!pem.includes('BEGIN RSA PRIVATE KEY')) return 'PKCS#8'
  return /^Proc-Type:.*ENCRYPTED/m.test(pem) ? 'encrypted PKCS#1' : 'PKCS#1'
}

function reasonOf(pem: string, message: string): string {
  if (pem.includes('PUBLIC KEY')) return 'the file holds a public key'
  if (!pem.includes('PRIVATE KEY')) return 'the file holds no PEM private key ("-----BEGIN PRIVATE KEY-----")'
  if (/passphrase|interrupted|bad decrypt/i.test(message))
    return 'it is encrypted and the passphrase is missing or wrong (SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE)'
  return message
}
