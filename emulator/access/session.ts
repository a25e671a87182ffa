import type { Caller } from '../auth.ts'
import type { Catalog } from '../catalog.ts'
import type { ObjectKind } from '../statements/definition.ts'
import type { NetworkPolicy } from './network.ts'
import { type Grant, type Roles, SYSTEM_ROLES } from './roles.ts'
import type { User, Users } from './users.ts'

/** Everything that decides who may do what. */
export interface Account {
  readonly catalog: Catalog
  readonly users: Users
  readonly roles: Roles
  readonly policies: Map<string, NetworkPolicy>
}

/** The network policy set on the user itself; that of an account is not emulated. */
export function policyOf({ policies }: Account, user: User): NetworkPolicy | undefined {
  return policies.get(user.properties.NETWORK_POLICY ?? '')
}

/** What one who is asked for nothing acts as. */
export const OMNIPOTENT = 'ACCOUNTADMIN'

/**
 * A caller with the role of one request.
 *
 * Privileges are asked of whoever has a role: the default role of a user made by CREATE USER, or the one that the token or
 * the request names. A caller with neither (a user nobody has made, the configured access token) acts as ACCOUNTADMIN and
 * may do everything, so that the emulator can be used before anybody has set up anything.
 */
export class Session {
  readonly user: string
  readonly role: string
  /** The role is there, and the user has it. */
  readonly mayUseRole: boolean
  readonly roles: ReadonlySet<string>
  readonly #account: Account

  constructor(account: Account, user: string, role: string, mayUseRole: boolean) {
    this.user = user
    this.role = role
    this.mayUseRole = mayUseRole
    this.roles = account.roles.effective(role)
    this.#account = account
  }

  get mayDoEverything(): boolean {
    return this.mayUseRole && this.roles.has(OMNIPOTENT)
  }

  /** Has one of these privileges on the object, or owns it. */
  has(kind: Grant['kind'], key: string, ...privileges: readonly string[]): boolean {
    if (!this.mayUseRole) return false
    return this.mayDoEverything || this.owns(kind, key) || this.#account.roles.hold(this.roles, privileges, kind, key)
  }

  owns(kind: Grant['kind'], key: string): boolean {
    if (this.mayDoEverything) return true
    return kind !== 'ACCOUNT' && this.roles.has(this.#account.catalog.record(kind, key)?.owner ?? '')
  }

  /** Has any privilege on it: SHOW lists what one has some privilege on [documented]. */
  sees(kind: ObjectKind, key: string): boolean {
    return this.owns(kind, key) || this.#account.roles.holdAny(this.roles, kind, key)
  }
}

/** `asked` is the role that the request itself names; it goes before that of the token. */
export function sessionOf(caller: Caller, account: Account, asked = caller.role): Session {
  const { roles, users } = account
  const user = users.get(caller.user)
  const created = user?.created === true
  const role = asked ?? (created ? (user.properties.DEFAULT_ROLE ?? 'PUBLIC') : OMNIPOTENT)
  const isRestricted = caller.onlyRole !== undefined && caller.onlyRole !== role
  return new Session(
    account,
    caller.user,
    role,
    isRole(account, role) && !isRestricted && (!created || roles.mayTake(user.name, role)),
  )
}

export function isRole({ catalog }: Account, role: string): boolean {
  return (SYSTEM_ROLES as readonly string[]).includes(role) || catalog.record('ROLE', role) !== undefined
}
