import { privilegesOn } from '../access/privilege.ts'
import type { Grant } from '../access/roles.ts'
import { isRole } from '../access/session.ts'
import { noSuch } from '../sql-refusal.ts'
import type { Definition, GrantTarget, ObjectKind } from '../statements/definition.ts'
import type { Circumstances, Ground } from './ground.ts'

type GrantStatement = Extract<Definition, { kind: 'grant' | 'revoke' }>
type RoleStatement = Extract<Definition, { kind: 'grant-role' | 'revoke-role' }>

export function changeGrants({ account, clock }: Ground, statement: GrantStatement, { session }: Circumstances): void {
  const { role, target } = statement
  const { catalog, roles } = account
  if (!isRole(account, role)) throw noSuch('ROLE', role)
  const kind: Grant['kind'] = target.scope === 'account' ? 'ACCOUNT' : target.kind
  const common = { role, grantOption: statement.grantOption, grantedBy: session.role, createdOn: clock.now() }
  for (const privilege of privilegesOn(kind, statement.privileges)) {
    if (target.scope === 'future') {
      const grant = { ...common, privilege, kind: target.kind, container: target.container }
      if (statement.kind === 'grant') roles.grantFuture(grant)
      else roles.revokeFuture(grant)
      continue
    }
    for (const key of keysOf(target, (each) => catalog.records(each))) {
      const record = kind === 'ACCOUNT' ? undefined : catalog.record(kind, key)
      if (kind !== 'ACCOUNT' && record === undefined) throw noSuch(kind, key)
      if (privilege !== 'OWNERSHIP' || record === undefined) {
        const grant = { ...common, privilege, kind, key }
        if (statement.kind === 'grant') roles.grant(grant)
        else roles.revoke(grant)
      } else if (statement.kind === 'grant') catalog.addRecord({ ...record, owner: role })
    }
  }
}

function keysOf(
  target: Exclude<GrantTarget, { scope: 'future' }>,
  records: (
    kind: ObjectKind,
  ) => readonly { readonly key: string; readonly name: { database: string; schema: string } | undefined }[],
): string[] {
  if (target.scope === 'account') return ['']
  if (target.scope === 'object') return [target.name]
  const { container, kind } = target
  return records(kind)
    .filter(({ name }) => name && containersOf(name).includes(container.name))
    .map(({ key }) => key)
}

/** The schema and the database an object is in, by their keys. */
export function containersOf({ database, schema }: { readonly database: string; readonly schema: string }): string[] {
  return [`${database}.${schema}`, database]
}

export function changeMembership({ account, clock }: Ground, statement: RoleStatement, around: Circumstances): void {
  const { role, to } = statement
  if (!isRole(account, role)) throw noSuch('ROLE', role)
  const isThere = to.kind === 'USER' ? account.users.get(to.name)?.created === true : isRole(account, to.name)
  if (!isThere) throw noSuch(to.kind, to.name)
  const membership = { role, to, grantedBy: around.session.role, createdOn: clock.now() }
  if (statement.kind === 'grant-role') account.roles.join(membership)
  else account.roles.leave(membership)
}
