import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Whether one of the places a token can stand in holds the right one. The app has no setting for a header, so it stands in the address;
 * others may send it as a bearer token. Digests are compared: of one length, and in a time that tells nothing.
 */
export function bearsToken(
  token: string,
  given: { readonly path: string; readonly query: string; readonly authorization: string },
): boolean {
  if (token === '') return true
  const [, bearer = ''] = /^Bearer +(.+)$/i.exec(given.authorization) ?? []
  const right = digestOf(token)
  // All are compared, whichever is right.
  return [given.path, given.query, bearer].map((one) => timingSafeEqual(digestOf(one), right)).includes(true)
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
