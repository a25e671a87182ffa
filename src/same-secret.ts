import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether two secrets are one. Digests are compared: of one length, and in a time that tells nothing. */
export function sameSecret(given: string, right: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(right))
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
