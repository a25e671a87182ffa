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
    key = createPrivateKey({ key: wrapped(pem), format: 'pem', ...(passphrase !== '' && { passphrase }) })
  } catch (error) {
    throw new SnowhatError(
      'E_KEY_INVALID',
      `the private key cannot be used: ${reasonOf(pem, passphrase, messageOf(error))}`,
      {
        cause: error,
        hint: HOW_TO_MAKE_A_KEY,
      },
    )
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < LEAST_BITS) {
    const what = key.asymmetricKeyType === 'rsa' ? `RSA with ${bits} bits` : `of type ${key.asymmetricKeyType}`
    throw new SnowhatError(
      'E_KEY_INVALID',
      `the private key is ${what}; Snowflake wants RSA with ${LEAST_BITS} bits or more`,
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

/** A key in PEM. Encrypted PKCS#1 has headers between its lines, and is none of these: it stays as it is. */
const BLOCK = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----([A-Za-z0-9+/=\s\\]+)-----END \1-----/g

/**
 * The same key with the line breaks that PEM wants. Environment files, JSON and indented YAML leave a key in one line, with `\n`
 * written out, or with blanks before each line.
 */
function wrapped(pem: string): string {
  return pem.replace(BLOCK, (_block, kind: string, body: string) => {
    const lines =
      body
        .replaceAll('\\n', '')
        .replace(/\s/g, '')
        .match(/.{1,64}/g) ?? []
    return ['', `-----BEGIN ${kind}-----`, ...lines, `-----END ${kind}-----`, ''].join('\n')
  })
}

function reasonOf(pem: string, passphrase: string, message: string): string {
  if (pem.includes('BEGIN OPENSSH PRIVATE KEY'))
    return 'it has the form of ssh-keygen; ssh-keygen -p -m PKCS8 -f FILE changes that'
  if (!pem.includes('PRIVATE KEY') && /BEGIN (RSA )?PUBLIC KEY/.test(pem)) return 'the file holds a public key'
  if (!pem.includes('PRIVATE KEY'))
    return 'the file holds no PEM private key ("-----BEGIN PRIVATE KEY-----"); from DER: openssl pkey -inform DER -in FILE'
  if (/passphrase|interrupted|bad decrypt/i.test(message)) return reasonOfPassphrase(passphrase)
  if (!/unsupported|asn1|decoder|PEM/i.test(message)) return message
  return pem.includes('ENCRYPTED')
    ? 'it is damaged, or encrypted in a way that is too old; openssl pkcs8 -topk8 -v2 aes-256-cbc makes a new one of it'
    : 'it is damaged: is a part of it missing?'
}

function reasonOfPassphrase(passphrase: string): string {
  if (passphrase === '')
    return 'it is encrypted and the passphrase is missing (SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE)'
  const padded =
    passphrase.trim() === passphrase ? '' : '; it begins or ends with a blank, a line break or a byte order mark'
  return `it is encrypted and the passphrase is wrong (SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE${padded})`
}
