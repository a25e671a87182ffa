import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { messageOf, SnowhatError } from '../../src/errors.ts'

/** A public key of a user, and how it is shown. */
export interface PublicKey {
  readonly key: KeyObject
  /** Base64 of SHA-256 over the DER of the public key, as `DESC USER` shows it [documented]. */
  readonly fingerprint: string
  /** Base64 of the DER, as ALTER USER takes it [documented]. */
  readonly text: string
}

/** PEM, or the Base64 alone as ALTER USER takes it. Throws `E_KEY_INVALID`. */
export function readPublicKey(written: string): PublicKey {
  try {
    const key = written.includes('-----BEGIN')
      ? createPublicKey(written)
      : createPublicKey({ key: Buffer.from(written, 'base64'), format: 'der', type: 'spki' })
    const der = key.export({ type: 'spki', format: 'der' })
    const fingerprint = `SHA256:${createHash('sha256').update(der).digest('base64')}`
    return { key, fingerprint, text: der.toString('base64') }
  } catch (error) {
    throw new SnowhatError('E_KEY_INVALID', `not a public key: ${messageOf(error)}`, { cause: error })
  }
}
