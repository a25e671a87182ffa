import { qualified } from '../names.ts'
import type { TokenReader } from '../statement-text.ts'
import {
  type AccountKind,
  type Definition,
  type GrantTarget,
  IN_ACCOUNT,
  IN_SCHEMA,
  type NameContext,
  type ObjectKind,
  type UserChange,
} from './definition.ts'
import { creationOf, skipIfExists, takeIdentifier, takeName, takeSchemaName } from './names.ts'
import { takeProperties } from './properties.ts'

export function readUser(reader: TokenReader, replace: boolean): Definition {
  const creation = creationOf(replace, reader)
  return { kind: 'user', creation, user: takeIdentifier(reader), properties: takeProperties(reader) }
}

export function readRole(reader: TokenReader, replace: boolean): Definition {
  const creation = creationOf(replace, reader)
  return { kind: 'role', creation, role: takeIdentifier(reader), properties: takeProperties(reader) }
}

export function readAlterUser(reader: TokenReader): Definition {
  const ifExists = skipIfExists(reader)
  return { kind: 'alter-user', ifExists, user: takeIdentifier(reader), change: takeUserChange(reader) }
}

function takeUserChange(reader: TokenReader): UserChange {
  if (reader.skip('SET')) return { change: 'set', properties: takeProperties(reader) }
  if (reader.skip('UNSET')) {
    const keys: string[] = []
    while (!reader.done) if (!reader.skip(',')) keys.push(takeIdentifier(reader))
    return { change: 'unset', keys }
  }
  const verb = ['ADD', 'REMOVE', 'MODIFY', 'ROTATE'].find((word) => reader.skip(word))
  const isToken = reader.skip('PROGRAMMATIC', 'ACCESS', 'TOKEN') || reader.skip('PAT')
  if (verb === undefined || !isToken) throw new SyntaxError('the emulator does not know this ALTER USER')
  skipIfExists(reader)
  const token = takeIdentifier(reader)
  if (verb === 'REMOVE') return { change: 'remove-token', token }
  if (verb === 'ROTATE') return { change: 'rotate-token', token }
  return { change: verb === 'ADD' ? 'add-token' : 'modify-token', token, properties: takeProperties(reader) }
}

export function readAccountObject(
  reader: TokenReader,
  what: 'WAREHOUSE' | 'NETWORK POLICY',
  replace: boolean,
): Definition {
  const creation = creationOf(replace, reader)
  return { kind: 'account-object', what, creation, name: takeIdentifier(reader), properties: takeProperties(reader) }
}

export function readAlterAccountObject(reader: TokenReader, what: 'WAREHOUSE' | 'NETWORK POLICY'): Definition {
  skipIfExists(reader)
  const name = takeIdentifier(reader)
  return { kind: 'account-object', what, creation: 'alter', name, properties: takeProperties(reader) }
}

/** `GRANT privilege, … ON … TO ROLE r`, `GRANT ROLE a TO ROLE | USER b`; REVOKE … FROM … is its mirror [documented]. */
export function readGrant(reader: TokenReader, context: NameContext, verb: 'grant' | 'revoke'): Definition {
  if (reader.skip('DATABASE', 'ROLE')) return { kind: 'skipped' }
  const end = verb === 'grant' ? 'TO' : 'FROM'
  if (reader.skip('ROLE')) {
    const role = takeIdentifier(reader)
    reader.expect(end)
    const kind = reader.skip('USER') ? 'USER' : 'ROLE'
    if (kind === 'ROLE') reader.expect('ROLE')
    return { kind: `${verb}-role`, role, to: { kind, name: takeIdentifier(reader) } }
  }
  reader.skip('GRANT', 'OPTION', 'FOR')
  const privileges = takePrivileges(reader)
  const target = takeTarget(reader, context)
  reader.expect(end)
  if (reader.skip('DATABASE', 'ROLE') || reader.skip('USER')) return { kind: 'skipped' }
  reader.skip('ROLE')
  const role = takeIdentifier(reader)
  return { kind: verb, privileges, target, role, grantOption: reader.skip('WITH', 'GRANT', 'OPTION') }
}

function takePrivileges(reader: TokenReader): string[] {
  const privileges: string[] = []
  let words: string[] = []
  const end = () => {
    const name = words.join(' ')
    privileges.push(name === 'ALL PRIVILEGES' ? 'ALL' : name)
    words = []
  }
  while (!reader.skip('ON')) {
    if (reader.skip(',')) end()
    else words.push(reader.take().text.toUpperCase())
  }
  end()
  return privileges
}

function takeTarget(reader: TokenReader, context: NameContext): GrantTarget {
  if (reader.skip('ACCOUNT')) return { scope: 'account' }
  const scope = reader.skip('ALL') ? 'all' : reader.skip('FUTURE') ? 'future' : 'object'
  if (scope === 'object') {
    const kind = takeKind(reader, '')
    return { scope, kind, name: takeObjectKey(reader, context, kind) }
  }
  const kind = takeKind(reader, 'S')
  reader.expect('IN')
  const inDatabase = reader.skip('DATABASE')
  if (!inDatabase) reader.expect('SCHEMA')
  if (inDatabase) return { scope, kind, container: { kind: 'DATABASE', name: takeIdentifier(reader) } }
  const { database, schema } = takeSchemaName(reader, context)
  return { scope, kind, container: { kind: 'SCHEMA', name: `${database}.${schema}` } }
}

const KINDS: readonly ObjectKind[] = ['DATABASE', 'SCHEMA', ...IN_SCHEMA, ...IN_ACCOUNT]

/** The kind of object that comes next, in the singular or with `plural` behind it. */
export function takeKind(reader: TokenReader, plural: '' | 'S'): ObjectKind {
  const kind = KINDS.find((name) => reader.skip(...`${name}${plural}`.split(' ')))
  if (kind === undefined) throw new SyntaxError(`the emulator has no ${reader.peek()?.text ?? 'such object'}`)
  return kind
}

/** The key of an object in the catalog: its name with all its parts. */
export function takeObjectKey(reader: TokenReader, context: NameContext, kind: ObjectKind): string {
  if (kind === 'DATABASE' || isAccountKind(kind)) return takeIdentifier(reader)
  if (kind !== 'SCHEMA') return qualified(takeName(reader, context))
  const { database, schema } = takeSchemaName(reader, context)
  return `${database}.${schema}`
}

export function isAccountKind(kind: string): kind is AccountKind {
  return (IN_ACCOUNT as readonly string[]).includes(kind)
}
