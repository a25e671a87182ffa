import { sameSecret } from '../../src/same-secret.ts'

/**
 * Whether one of the places a token can stand in holds the right one. The app has no setting for a header, so it stands in the address;
 * others may send it as a bearer token.
 */
export function bearsToken(
  token: string,
  given: { readonly path: string; readonly query: string; readonly authorization: string },
): boolean {
  if (token === '') return true
  const [, bearer = ''] = /^Bearer +(.+)$/i.exec(given.authorization) ?? []
  // All are compared, whichever is right.
  return [given.path, given.query, bearer].map((one) => sameSecret(one, token)).includes(true)
}
