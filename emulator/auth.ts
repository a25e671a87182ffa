import { createHash, createPublicKey, type KeyObject, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { compactVerify, decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import type { Clock } from '../src/clock.ts'
import { messageOf, SnowhatError } from '../src/errors.ts'
import { type Call, headerOf, Refusal } from './answer.ts'

/** Who calls, as far as the emulator can know. */
export interface Caller {
  /** The user's name in upper case, `''` for a programmatic access token. */
  readonly user: string
}

/** A JWT may live this long [documented]. */
const MAX_LIFE_S = 3600
/** How far clocks may differ [assumed]. */
const LEEWAY_S = 60
const ISSUER = 'snowhat-emulator'

/**
 * Credentials: the key-pair JWT [documented], the scoped token made from it [documented], and a programmatic access token if
 * one is configured [documented]. The key-pair JWT is taken on every call [observed].
 *
 * A user with no registered key may sign with any: what the JWT says is checked, its signature cannot be.
 */
export class Auth {
  readonly #secret: Uint8Array
  readonly #pat: string
  readonly #tokenLifetimeMs: number
  readonly #clock: Clock
  readonly #keys = new Map<string, { key: KeyObject; fingerprint: string }[]>()
  /** Names this process among those that have signed with the secret. */
  readonly #run = randomUUID()
  #tokensIssued = 0
  /** Scoped tokens up to this one have been taken back, and all of earlier processes. */
  #expiredUpTo: number | undefined

  constructor(settings: { secret: Uint8Array; pat: string; tokenLifetimeMs: number }, deps: { clock: Clock }) {
    this.#secret = settings.secret
    this.#pat = settings.pat
    this.#tokenLifetimeMs = settings.tokenLifetimeMs
    this.#clock = deps.clock
  }

  /** A further key of the user; a user may have several while keys are rotated [documented]. */
  registerUserKey(user: string, publicKey: string): void {
    const key = readPublicKey(publicKey)
    const name = user.toUpperCase()
    this.#keys.set(name, [...(this.#keys.get(name) ?? []), { key, fingerprint: fingerprintOf(key) }])
  }

  /** Any accepted credential in the Authorization header. */
  async caller(call: Call): Promise<Caller> {
    const token = bearerOf(call)
    if (token === undefined) throw unauthorized('390101', 'Authorization header not found in the request data')
    if (this.#pat !== '' && sameText(token, this.#pat)) return { user: '' }
    if (claimsOf(token)?.iss === ISSUER) return this.#scopedTokenCaller(token)
    return this.keyPairCaller(token)
  }

  /** The caller behind a key-pair JWT: signature, issuer, subject, life, fingerprint [documented]. */
  async keyPairCaller(jwt: string): Promise<Caller> {
    const claims = claimsOf(jwt)
    const [, user, fingerprint] = /^[^.]+\.(.+)\.(SHA256:[A-Za-z0-9+/]{43}=)$/.exec(String(claims?.iss)) ?? []
    if (claims === undefined || user === undefined || fingerprint === undefined)
      throw badJwt('the issuer must be ACCOUNT.USER.SHA256:<Base64 fingerprint>')
    if (`${claims.sub}.${fingerprint}` !== claims.iss) throw badJwt('subject and issuer do not agree')
    if (claims.iss.slice(0, -fingerprint.length) !== claims.iss.slice(0, -fingerprint.length).toUpperCase())
      throw badJwt('account and user must be in upper case')
    this.#checkLife(claims)
    const algorithm = algorithmOf(jwt)
    if (!['RS256', 'RS384', 'RS512'].includes(algorithm)) throw badJwt(`algorithm ${algorithm} is not accepted`)
    const keys = this.#keys.get(user)
    if (keys === undefined) return { user }
    const registered = keys.find((entry) => entry.fingerprint === fingerprint)
    if (registered === undefined) throw badJwt('the fingerprint is not that of a registered key')
    await compactVerify(jwt, registered.key).catch(() => {
      throw badJwt('the signature does not fit the registered key')
    })
    return { user }
  }

  /** A bare JWT with `exp` [observed]. */
  issueScopedToken(caller: Caller, scope: string): Promise<string> {
    const now = Math.floor(this.#clock.now() / 1000)
    this.#tokensIssued += 1
    const serial = { run: this.#run, number: this.#tokensIssued }
    return new SignJWT({ user: caller.user, serial, ...(scope === '' ? {} : { scope }) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.floor(this.#tokenLifetimeMs / 1000))
      .sign(this.#secret)
  }

  /** Ends the life of every scoped token handed out so far. */
  expireTokens(): void {
    this.#expiredUpTo = this.#tokensIssued
  }

  async #scopedTokenCaller(token: string): Promise<Caller> {
    await compactVerify(token, this.#secret).catch(() => {
      throw unauthorized('390303', 'Invalid OAuth access token')
    })
    const claims = claimsOf(token)
    if (seconds(claims?.exp) * 1000 <= this.#clock.now() || this.#isTakenBack(claims?.serial))
      throw unauthorized('390318', 'OAuth access token expired')
    return { user: String(claims?.user) }
  }

  #isTakenBack(serial: unknown): boolean {
    if (this.#expiredUpTo === undefined) return false
    const known = serial as { run: string; number: number } | undefined
    return known?.run !== this.#run || known.number <= this.#expiredUpTo
  }

  #checkLife(claims: Claims): void {
    const now = this.#clock.now() / 1000
    const issued = seconds(claims.iat)
    const expires = seconds(claims.exp)
    if (!(expires > now)) throw badJwt('it has expired, or has no exp')
    if (!(issued <= now + LEEWAY_S)) throw badJwt('it was issued in the future, or has no iat')
    if (expires - issued > MAX_LIFE_S) throw badJwt('it lives longer than one hour')
  }
}

type Claims = Readonly<Record<string, unknown>> & { readonly iss: string }

function claimsOf(token: string): Claims | undefined {
  try {
    const claims = decodeJwt(token)
    return typeof claims.iss === 'string' ? { ...claims, iss: claims.iss } : undefined
  } catch {
    return undefined
  }
}

function algorithmOf(jwt: string): string {
  try {
    return String(decodeProtectedHeader(jwt).alg)
  } catch {
    return 'none'
  }
}

/** Seconds, from seconds or milliseconds [documented: both are accepted]; NaN if it is no number. */
function seconds(claim: unknown): number {
  if (typeof claim !== 'number') return Number.NaN
  return claim > 100_000_000_000 ? claim / 1000 : claim
}

export function bearerOf(call: Call): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headerOf(call, 'authorization') ?? '')?.[1]
}

/** Base64 of SHA-256 over the DER of the public key, as `DESC USER` shows it [documented]. */
function fingerprintOf(key: KeyObject): string {
  return `SHA256:${createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64')}`
}

/** PEM, or the Base64 alone as ALTER USER takes it. */
function readPublicKey(text: string): KeyObject {
  try {
    if (text.includes('-----BEGIN')) return createPublicKey(text)
    return createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  } catch (error) {
    throw new SnowhatError('E_KEY_INVALID', `not a public key: ${messageOf(error)}`, { cause: error })
  }
}

export function newSecret(): string {
  return randomBytes(32).toString('base64')
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return left !== undefined && right !== undefined && timingSafeEqual(left, right)
}

/** The codes are those of Snowflake's drivers [assumed here]. */
function unauthorized(code: string, message: string): Refusal {
  return new Refusal(401, code, message)
}

function badJwt(why: string): Refusal {
  return unauthorized('390144', `JWT token is invalid: ${why}`)
}
