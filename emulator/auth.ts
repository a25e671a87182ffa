import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { compactVerify, decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import type { Clock } from '../src/clock.ts'
import { isAllowed, type NetworkPolicy, notFromHere } from './access/network.ts'
import type { User, Users } from './access/users.ts'
import { type Call, headerOf, Refusal } from './answer.ts'
import { foldIdentifier } from './names.ts'

/** Who calls, as far as the emulator can know. */
export interface Caller {
  /** The user's name in upper case, `''` for the configured programmatic access token. */
  readonly user: string
  /** The role that the credential names, in its scope or claim. */
  readonly role?: string | undefined
  /** The only role that the credential is good for. */
  readonly onlyRole?: string | undefined
}

/** A JWT may live this long [documented]. */
const MAX_LIFE_S = 3600
/** How far clocks may differ [assumed]. */
const LEEWAY_S = 60
const ISSUER = 'snowhat-emulator'

/**
 * Credentials: the key-pair JWT [documented], the scoped token made from it [documented], and programmatic access tokens:
 * the configured one, and those of users [documented]. The key-pair JWT is taken on every call [observed].
 *
 * A user with no registered key may sign with any: what the JWT says is checked, its signature cannot be.
 */
export class Auth {
  readonly #secret: Uint8Array
  readonly #pat: string
  readonly #account: string
  readonly #tokenLifetimeMs: number
  readonly #clock: Clock
  readonly #users: Users
  readonly #policyOf: (user: User) => NetworkPolicy | undefined
  /** Names this process among those that have signed with the secret. */
  readonly #run = randomUUID()
  #tokensIssued = 0
  /** Scoped tokens up to this one have been taken back, and all of earlier processes. */
  #expiredUpTo: number | undefined

  constructor(
    settings: { secret: Uint8Array; pat: string; account: string; tokenLifetimeMs: number },
    deps: { clock: Clock; users: Users; policyOf: (user: User) => NetworkPolicy | undefined },
  ) {
    this.#secret = settings.secret
    this.#pat = settings.pat
    this.#account = settings.account.toUpperCase()
    this.#tokenLifetimeMs = settings.tokenLifetimeMs
    this.#clock = deps.clock
    this.#users = deps.users
    this.#policyOf = deps.policyOf
  }

  /** A further key of the user; a user may have several while keys are rotated [documented]. */
  registerUserKey(user: string, publicKey: string): void {
    this.#users.giveKey(user.toUpperCase(), publicKey, this.#clock.now())
  }

  /** Any accepted credential in the Authorization header. */
  async caller(call: Call): Promise<Caller> {
    const token = bearerOf(call)
    if (token === undefined) throw unauthorized('390101', 'Authorization header not found in the request data')
    if (this.#pat !== '' && sameText(token, this.#pat)) return { user: '' }
    const caller = this.#accessTokenCaller(token) ?? (await this.#signedCaller(token))
    this.#refuseElsewhere(caller, call)
    return caller
  }

  /** The caller behind a key-pair JWT, on a call that exchanges it. */
  async keyPairCaller(jwt: string, call: Call): Promise<Caller> {
    const caller = await this.#keyPairCaller(jwt)
    this.#refuseElsewhere(caller, call)
    return caller
  }

  #signedCaller(token: string): Promise<Caller> {
    return claimsOf(token)?.iss === ISSUER ? this.#scopedTokenCaller(token) : this.#keyPairCaller(token)
  }

  /** A user's own token. An unknown, expired or disabled one cannot be told apart [assumed]. */
  #accessTokenCaller(secret: string): Caller | undefined {
    const found = this.#users.tokenOf(secret)
    if (found === undefined) return undefined
    const { token, user } = found
    // A service user needs a network policy to use one [documented].
    const lacksPolicy = user.properties.TYPE === 'SERVICE' && this.#policyOf(user) === undefined
    if (token.disabled || token.expiresAt <= this.#clock.now() || lacksPolicy)
      throw unauthorized('394400', 'Programmatic access token is invalid.')
    return { user: user.name, role: token.role, onlyRole: token.role }
  }

  /** The user's network policy holds for every call [documented]. */
  #refuseElsewhere({ user }: Caller, { from }: Call): void {
    const known = this.#users.get(user)
    const policy = known && this.#policyOf(known)
    if (policy !== undefined && from !== undefined && !isAllowed(policy, from)) throw notFromHere(from)
  }

  /** Signature, issuer, subject, life, fingerprint [documented]. */
  async #keyPairCaller(jwt: string): Promise<Caller> {
    const claims = claimsOf(jwt)
    const [, account, user, fingerprint] =
      /^([^.]+)\.(.+)\.(SHA256:[A-Za-z0-9+/]{43}=)$/.exec(String(claims?.iss)) ?? []
    if (claims === undefined || user === undefined || fingerprint === undefined)
      throw badJwt('the issuer must be ACCOUNT.USER.SHA256:<Base64 fingerprint>')
    if (`${claims.sub}.${fingerprint}` !== claims.iss) throw badJwt('subject and issuer do not agree')
    if (claims.iss.slice(0, -fingerprint.length) !== claims.iss.slice(0, -fingerprint.length).toUpperCase())
      throw badJwt('account and user must be in upper case')
    if (this.#account !== '' && account !== this.#account) throw badJwt('this is another account')
    this.#checkLife(claims)
    const algorithm = algorithmOf(jwt)
    if (!['RS256', 'RS384', 'RS512'].includes(algorithm)) throw badJwt(`algorithm ${algorithm} is not accepted`)
    const caller: Caller = { user, role: roleIn(claims.scp) }
    const known = this.#users.get(user)
    if (known?.properties.DISABLED === 'TRUE') throw badJwt('the user is disabled')
    const keys = known === undefined ? [] : [...known.keys, ...known.furtherKeys].filter((key) => key !== undefined)
    if (keys.length === 0 && known?.keyed !== true) return caller
    const registered = keys.find((entry) => entry.fingerprint === fingerprint)
    if (registered === undefined) throw badJwt('the fingerprint is not that of a registered key')
    await compactVerify(jwt, registered.key).catch(() => {
      throw badJwt('the signature does not fit the registered key')
    })
    return caller
  }

  /** A bare JWT with `exp` [observed]. A role in the scope, else one in the JWT, is the token's [observed]. */
  issueScopedToken(caller: Caller, scope: string): Promise<string> {
    const role = roleIn(scope) ?? caller.role
    const now = Math.floor(this.#clock.now() / 1000)
    this.#tokensIssued += 1
    const serial = { run: this.#run, number: this.#tokensIssued }
    return new SignJWT({ user: caller.user, serial, ...(scope === '' ? {} : { scope }), ...(role && { role }) })
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
    return { user: String(claims?.user), role: typeof claims?.role === 'string' ? claims.role : undefined }
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

/** The role in a scope `… session:role:NAME …`. */
function roleIn(scope: unknown): string | undefined {
  const [, role] = /(?:^|\s)session:role:("(?:[^"]|"")+"|\S+)/i.exec(typeof scope === 'string' ? scope : '') ?? []
  return role === undefined ? undefined : foldIdentifier(role)
}

export function bearerOf(call: Call): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headerOf(call, 'authorization') ?? '')?.[1]
}

/** What scoped tokens are signed with. */
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
