import type { ObjectKind } from '../statements/definition.ts'

/** A privilege that a role has been given. */
export interface Grant {
  readonly privilege: string
  readonly kind: ObjectKind | 'ACCOUNT'
  /** The object's key; `''` for the account. */
  readonly key: string
  readonly role: string
  readonly grantOption: boolean
  readonly grantedBy: string
  readonly createdOn: number
}

/** What a role will be given on objects that do not exist yet. */
export interface FutureGrant extends Omit<Grant, 'kind' | 'key'> {
  readonly kind: ObjectKind
  readonly container: { readonly kind: 'DATABASE' | 'SCHEMA'; readonly name: string }
}

/** A role that was given to a user or to another role. */
export interface Membership {
  readonly role: string
  readonly to: { readonly kind: 'USER' | 'ROLE'; readonly name: string }
  readonly grantedBy: string
  readonly createdOn: number
}

export interface RolesState {
  readonly grants: readonly Grant[]
  readonly futureGrants: readonly FutureGrant[]
  readonly memberships: readonly Membership[]
}

/** Every account has them [documented]; whoever has the first of a pair has the second. */
export const SYSTEM_ROLES = ['ACCOUNTADMIN', 'SECURITYADMIN', 'SYSADMIN', 'USERADMIN', 'PUBLIC'] as const
const BELOW: readonly (readonly [string, string])[] = [
  ['ACCOUNTADMIN', 'SECURITYADMIN'],
  ['ACCOUNTADMIN', 'SYSADMIN'],
  ['SECURITYADMIN', 'USERADMIN'],
]

/** What system roles may do on the account without being told [documented]. */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  SYSADMIN: ['CREATE DATABASE', 'CREATE WAREHOUSE'],
  SECURITYADMIN: ['MANAGE GRANTS', 'CREATE NETWORK POLICY'],
  USERADMIN: ['CREATE ROLE', 'CREATE USER'],
}

/** Who has been given what. */
export class Roles {
  #grants: Grant[] = []
  #futureGrants: FutureGrant[] = []
  #memberships: Membership[] = []

  get grants(): readonly Grant[] {
    return this.#grants
  }

  get memberships(): readonly Membership[] {
    return this.#memberships
  }

  /** The role itself and all it has been given, at any depth; PUBLIC belongs to everybody [documented]. */
  effective(role: string): ReadonlySet<string> {
    const found = new Set([role])
    for (const each of found) {
      for (const [above, below] of BELOW) if (above === each) found.add(below)
      for (const { role: given, to } of this.#memberships) if (to.kind === 'ROLE' && to.name === each) found.add(given)
    }
    return found.add('PUBLIC')
  }

  /** Whether the user may take the role, directly or through another of theirs. */
  mayTake(user: string, role: string): boolean {
    if (role === 'PUBLIC') return true
    return this.rolesOf(user).some((given) => this.effective(given).has(role))
  }

  /** What the user was given directly. */
  rolesOf(user: string): string[] {
    return this.#memberships.filter(({ to }) => to.kind === 'USER' && to.name === user).map(({ role }) => role)
  }

  /** Whether one of these roles was given one of these privileges on the object. */
  hold(roles: ReadonlySet<string>, privileges: readonly string[], kind: Grant['kind'], key: string): boolean {
    if (kind === 'ACCOUNT' && privileges.some((each) => [...roles].some((role) => BUILT_IN[role]?.includes(each))))
      return true
    return this.#grants.some(
      (grant) =>
        grant.kind === kind && grant.key === key && roles.has(grant.role) && privileges.includes(grant.privilege),
    )
  }

  /** Whether one of these roles was given anything on the object. */
  holdAny(roles: ReadonlySet<string>, kind: Grant['kind'], key: string): boolean {
    return this.#grants.some((grant) => grant.kind === kind && grant.key === key && roles.has(grant.role))
  }

  grant(grant: Grant): void {
    this.#grants = [...this.#grants.filter((known) => !isSame(known, grant)), grant]
  }

  revoke(grant: Pick<Grant, 'privilege' | 'kind' | 'key' | 'role'>): void {
    this.#grants = this.#grants.filter((known) => !isSame(known, grant))
  }

  grantFuture(grant: FutureGrant): void {
    this.revokeFuture(grant)
    this.#futureGrants.push(grant)
  }

  revokeFuture(grant: Omit<FutureGrant, 'grantOption' | 'grantedBy' | 'createdOn'>): void {
    this.#futureGrants = this.#futureGrants.filter(
      (known) =>
        known.privilege !== grant.privilege ||
        known.kind !== grant.kind ||
        known.role !== grant.role ||
        known.container.name !== grant.container.name,
    )
  }

  /** A new object: it begins without grants, but for those that were waiting for it. */
  objectMade(kind: ObjectKind, key: string, containers: readonly string[]): void {
    this.objectGone(kind, key)
    for (const { container, ...grant } of this.#futureGrants)
      if (grant.kind === kind && containers.includes(container.name)) this.grant({ ...grant, key })
  }

  objectGone(kind: ObjectKind, key: string): void {
    this.#grants = this.#grants.filter((grant) => grant.kind !== kind || grant.key !== key)
  }

  join(membership: Membership): void {
    this.leave(membership)
    this.#memberships.push(membership)
  }

  leave({ role, to }: Pick<Membership, 'role' | 'to'>): void {
    this.#memberships = this.#memberships.filter(
      (known) => known.role !== role || known.to.kind !== to.kind || known.to.name !== to.name,
    )
  }

  /** A dropped user or role takes part in nothing any more. */
  forget(kind: 'USER' | 'ROLE', name: string): void {
    this.#memberships = this.#memberships.filter(
      ({ role, to }) => !(kind === 'ROLE' && role === name) && !(to.kind === kind && to.name === name),
    )
    if (kind === 'USER') return
    this.#grants = this.#grants.filter((grant) => grant.role !== name)
    this.#futureGrants = this.#futureGrants.filter((grant) => grant.role !== name)
  }

  get state(): RolesState {
    return { grants: this.#grants, futureGrants: this.#futureGrants, memberships: this.#memberships }
  }

  load({ grants, futureGrants, memberships }: RolesState): void {
    this.#grants = [...grants]
    this.#futureGrants = [...futureGrants]
    this.#memberships = [...memberships]
  }
}

function isSame(a: Pick<Grant, 'privilege' | 'kind' | 'key' | 'role'>, b: typeof a): boolean {
  return a.privilege === b.privilege && a.kind === b.kind && a.key === b.key && a.role === b.role
}
