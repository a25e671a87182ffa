import { createHash, randomBytes } from 'node:crypto'
import { type PublicKey, readPublicKey } from './public-key.ts'

/** A key in one of a user's two slots. */
export interface SlotKey extends PublicKey {
  /** Epoch ms. */
  readonly setOn: number
  /** By the option `--user-key` and not by SQL: it lasts as long as the process. */
  readonly given: boolean
}

/** A programmatic access token [documented]. The secret itself is shown once and not kept. */
export interface AccessToken {
  readonly name: string
  /** SHA-256 of the secret, hex. */
  readonly digest: string
  readonly role: string | undefined
  readonly createdOn: number
  readonly expiresAt: number
  readonly disabled: boolean
  readonly comment: string
}

/** A user of the account. */
export interface User {
  readonly name: string
  /** Made by CREATE USER. One who was not is known by `--user-key` alone, and may do everything. */
  readonly created: boolean
  readonly properties: Readonly<Record<string, string>>
  /** RSA_PUBLIC_KEY and RSA_PUBLIC_KEY_2. */
  readonly keys: readonly [SlotKey | undefined, SlotKey | undefined]
  /** Further keys of `--user-key`, beyond two. */
  readonly furtherKeys: readonly SlotKey[]
  /** Has had a key by SQL: from then on it must sign with one that is registered. */
  readonly keyed: boolean
  readonly tokens: readonly AccessToken[]
}

interface StoredUser extends Omit<User, 'keys' | 'furtherKeys'> {
  readonly keys: readonly ({ readonly text: string; readonly setOn: number } | null)[]
}

export type UsersState = readonly StoredUser[]

export const KEY_SLOTS = ['RSA_PUBLIC_KEY', 'RSA_PUBLIC_KEY_2'] as const

/** The users there are, with what they sign in with. */
export class Users {
  readonly #users = new Map<string, User>()

  get all(): User[] {
    return [...this.#users.values()]
  }

  get(name: string): User | undefined {
    return this.#users.get(name)
  }

  put(user: User): void {
    this.#users.set(user.name, user)
  }

  remove(name: string): void {
    this.#users.delete(name)
  }

  /** A key by option: into a free slot, as if an administrator had set it. */
  giveKey(name: string, written: string, now: number): void {
    const key: SlotKey = { ...readPublicKey(written), setOn: now, given: true }
    const user = this.get(name) ?? newUser(name, false)
    const [first, second] = user.keys
    const known = [first, second, ...user.furtherKeys].some((each) => each?.fingerprint === key.fingerprint)
    if (known) return
    if (first === undefined) this.put({ ...user, keys: [key, second] })
    else if (second === undefined) this.put({ ...user, keys: [first, key] })
    else this.put({ ...user, furtherKeys: [...user.furtherKeys, key] })
  }

  /** The user and the token behind a secret. */
  tokenOf(secret: string): { user: User; token: AccessToken } | undefined {
    const digest = digestOf(secret)
    for (const user of this.#users.values()) {
      const token = user.tokens.find((each) => each.digest === digest)
      if (token !== undefined) return { user, token }
    }
    return undefined
  }

  /** Keys by option are left out. */
  get state(): UsersState {
    return this.all
      .filter(({ created }) => created)
      .map(({ furtherKeys, keys, ...user }) => {
        const kept = keys.map((key) => (key === undefined || key.given ? null : { text: key.text, setOn: key.setOn }))
        return { ...user, keys: kept }
      })
  }

  load(state: UsersState): void {
    for (const user of state) {
      const [first, second] = user.keys.map((kept) =>
        kept === null ? undefined : { ...readPublicKey(kept.text), setOn: kept.setOn, given: false },
      )
      this.put({ ...user, keys: [first, second], furtherKeys: [] })
    }
  }
}

export function newUser(name: string, created: boolean): User {
  return { name, created, properties: {}, keys: [undefined, undefined], furtherKeys: [], keyed: false, tokens: [] }
}

/** A secret that nobody guesses, and what is kept of it. */
export function newSecret(): { secret: string; digest: string } {
  const secret = randomBytes(32).toString('base64url')
  return { secret, digest: digestOf(secret) }
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
