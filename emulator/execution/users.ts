import { readPublicKey } from '../access/public-key.ts'
import { policyOf } from '../access/session.ts'
import { type AccessToken, KEY_SLOTS, newSecret, newUser, type SlotKey, type User } from '../access/users.ts'
import { foldIdentifier } from '../names.ts'
import { alreadyThere, noSuch, sqlRefusal, wrongValue } from '../sql-refusal.ts'
import type { Properties, UserChange } from '../statements/definition.ts'
import { propertyText } from '../statements/properties.ts'
import type { Circumstances, Ground, Outcome } from './ground.ts'

/** A token lives this long unless told otherwise, and at most a year [documented]. */
const DAYS_TO_EXPIRY = 15
const MAX_DAYS = 365
const DAY_MS = 86_400_000

/** Properties that name another object; the others are texts. */
const NAMES = new Set(['DEFAULT_ROLE', 'DEFAULT_WAREHOUSE', 'DEFAULT_NAMESPACE', 'NETWORK_POLICY'])

/** CREATE USER, where it has been found to be due. A user known by `--user-key` keeps that key. */
export function makeUser(ground: Ground, name: string, properties: Properties, around: Circumstances): void {
  const known = ground.account.users.get(name)
  ground.account.users.put({ ...(known ?? newUser(name, true)), created: true })
  setProperties(ground, name, properties, around)
}

export function changeUser(ground: Ground, name: string, change: UserChange, around: Circumstances): Outcome {
  switch (change.change) {
    case 'set':
      setProperties(ground, name, change.properties, around)
      return 'Statement executed successfully.'
    case 'unset':
      unset(ground, name, change.keys)
      return 'Statement executed successfully.'
    default:
      return changeToken(ground, name, change)
  }
}

function userOf({ account }: Ground, name: string): User {
  const user = account.users.get(name)
  if (user === undefined) throw noSuch('USER', name)
  return user
}

function setProperties(ground: Ground, name: string, properties: Properties, around: Circumstances): void {
  for (const [key, value] of properties) {
    const user = userOf(ground, name)
    const slot = KEY_SLOTS.indexOf(key as (typeof KEY_SLOTS)[number])
    if (slot >= 0) setKey(ground, user, slot, String(value), around)
    else {
      const text = NAMES.has(key) ? foldIdentifier(String(value)) : String(value)
      if (key === 'NETWORK_POLICY' && !ground.account.policies.has(text)) throw noSuch('NETWORK POLICY', text)
      const plain = /^(true|false)$/i.test(text) || key === 'TYPE' ? text.toUpperCase() : text
      ground.account.users.put({ ...user, properties: { ...user.properties, [key]: plain } })
    }
  }
}

function setKey({ account, clock }: Ground, user: User, slot: number, written: string, around: Circumstances): void {
  // `<<< put the key here >>>` in a file nobody has filled in: until a key is registered, any will do.
  if (around.atStart && written.startsWith('<')) return
  let key: SlotKey
  try {
    key = { ...readPublicKey(written.replaceAll(/\s/g, '')), setOn: clock.now(), given: false }
  } catch {
    throw sqlRefusal('394300', '22023', "New public key rejected by current policy. Reason: 'Invalid public key'")
  }
  account.users.put({ ...user, keyed: true, keys: withSlot(user, slot, key) })
}

function withSlot({ keys }: User, slot: number, key: SlotKey | undefined): User['keys'] {
  return slot === 0 ? [key, keys[1]] : [keys[0], key]
}

function unset(ground: Ground, name: string, keys: readonly string[]): void {
  for (const key of keys) {
    const user = userOf(ground, name)
    const slot = KEY_SLOTS.indexOf(key as (typeof KEY_SLOTS)[number])
    const { [key]: _, ...properties } = user.properties
    const hadKey = slot >= 0 && user.keys[slot] !== undefined
    ground.account.users.put({
      ...user,
      properties,
      keyed: user.keyed || hadKey,
      keys: slot < 0 ? user.keys : withSlot(user, slot, undefined),
    })
  }
}

type TokenChange = Exclude<UserChange, { change: 'set' | 'unset' }>

function changeToken(ground: Ground, name: string, change: TokenChange): Outcome {
  const { account, clock } = ground
  const user = userOf(ground, name)
  const known = user.tokens.find((token) => token.name === change.token)
  const others = user.tokens.filter((token) => token !== known)
  const put = (...tokens: readonly AccessToken[]) => account.users.put({ ...user, tokens: [...others, ...tokens] })
  if (change.change === 'add-token') {
    if (known !== undefined) throw alreadyThere(change.token)
    const { token, secret } = newToken(ground, user, change.token, change.properties)
    put(token)
    return { columns: ['token_name', 'token_secret'], rows: [[token.name, secret]] }
  }
  if (known === undefined) throw noSuch('PROGRAMMATIC ACCESS TOKEN', change.token)
  if (change.change === 'remove-token') put()
  else if (change.change === 'modify-token') {
    const disabled = propertyText(change.properties, 'DISABLED')
    const comment = propertyText(change.properties, 'COMMENT') ?? known.comment
    put({ ...known, comment, disabled: disabled === undefined ? known.disabled : /^true$/i.test(disabled) })
  } else {
    // The one before goes on for a day, under another name [documented].
    const { secret, digest } = newSecret()
    const now = clock.now()
    const rotated = {
      ...known,
      name: `${known.name}_ROTATED_${now}`,
      expiresAt: Math.min(known.expiresAt, now + DAY_MS),
    }
    put(rotated, { ...known, digest, createdOn: now, expiresAt: now + (known.expiresAt - known.createdOn) })
    return {
      columns: ['token_name', 'token_secret', 'rotated_token_name'],
      rows: [[known.name, secret, rotated.name]],
    }
  }
  return 'Statement executed successfully.'
}

function newToken(
  { account, clock }: Ground,
  user: User,
  name: string,
  properties: Properties,
): { token: AccessToken; secret: string } {
  const restriction = propertyText(properties, 'ROLE_RESTRICTION')
  const role = restriction === undefined ? undefined : foldIdentifier(restriction)
  const days = Number(propertyText(properties, 'DAYS_TO_EXPIRY') ?? DAYS_TO_EXPIRY)
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    throw wrongValue(`DAYS_TO_EXPIRY must be between 1 and ${MAX_DAYS}`)
  if (role !== undefined && !account.roles.mayTake(user.name, role)) throw noSuch('ROLE', role)
  if (user.properties.TYPE === 'SERVICE') {
    if (role === undefined) throw wrongValue('a token of a service user needs ROLE_RESTRICTION')
    if (policyOf(account, user) === undefined)
      throw wrongValue(`user ${user.name} is a service user and needs a network policy before it can have a token`)
  }
  const { secret, digest } = newSecret()
  const now = clock.now()
  const comment = propertyText(properties, 'COMMENT') ?? ''
  const token = { name, digest, role, createdOn: now, expiresAt: now + days * DAY_MS, disabled: false, comment }
  return { token, secret }
}
