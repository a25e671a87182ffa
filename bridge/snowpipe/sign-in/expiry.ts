import { decodeJwt } from 'jose'

/** A `Date` goes no further. */
const LAST_SECOND = 8.64e12
const UNREADABLE_LIFE_MS = 10 * 60_000

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
