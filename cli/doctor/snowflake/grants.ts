import type { Clock } from '../../../src/clock.ts'
import { identifier, quoted } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok, skipped } from '../finding.ts'
import { type PipeTable, pipeName } from './pipe.ts'
import { rowsIfAllowed, type SignedIn, type SqlRow } from './signed-in.ts'

/** A privilege that streaming needs. */
interface Privilege {
  readonly privilege: string
  readonly on: 'DATABASE' | 'SCHEMA' | 'TABLE' | 'PIPE'
  readonly name: string
}

/** Roles within roles; deeper ones are not looked into. */
const DEPTH = 4

/** Compares SHOW GRANTS with what streaming needs; where it may not be asked, goes by what was refused. */
export const grantsCheck: Check = {
  id: 'snowflake.grants',
  side: 'bridge',
  needs: ['account', 'table', 'role', 'absentPipes'],
  async run(examination): Promise<Finding[]> {
    const account = examination.take('account')
    const role = examination.take('role')
    if (role === 'ACCOUNTADMIN') return [ok('snowflake.grants', `${role} may do everything`)]
    const needed = neededBy(account, examination.take('table'), examination.take('absentPipes'))
    const held = await grantsOf(account, role, examination.clock)
    if (held === undefined)
      return [
        skipped(
          'snowflake.grants',
          'this role may not ask SHOW GRANTS; snowflake.pipe and snowflake.canary show whether they suffice',
        ),
      ]
    const missing = needed.filter((one) => !isHeld(one, held))
    if (missing.length === 0) return [ok('snowflake.grants', `${role} has what streaming needs`)]
    return [
      broken(
        'snowflake.grants',
        `${role} lacks ${missing.map(({ privilege, on, name }) => `${privilege} on ${on.toLowerCase()} ${name}`).join(', ')}`,
        {
          why: 'Snowflake then says that the object does not exist',
          fix: 'run the statements as SECURITYADMIN, or as the owner of the objects',
          sql: missing
            .map(({ privilege, on, name }) => `GRANT ${privilege} ON ${on} ${name} TO ROLE ${quoted(role)};`)
            .join('\n'),
        },
      ),
    ]
  },
}

/** Section "Privileges" of Snowflake's documentation on streaming. */
function neededBy(account: SignedIn, table: PipeTable, absent: ReadonlySet<string>): Privilege[] {
  const { database, schema, pipes } = account.settings
  // What makes a pipe that is not there grants it as well, and before that it could not be granted.
  const custom = pipes.filter((pipe) => !pipe.endsWith('-STREAMING') && !absent.has(pipe))
  return [
    { privilege: 'USAGE', on: 'DATABASE', name: identifier(database) },
    { privilege: 'USAGE', on: 'SCHEMA', name: `${identifier(database)}.${identifier(schema)}` },
    { privilege: 'INSERT', on: 'TABLE', name: table.name },
    ...custom.map(
      (pipe): Privilege => ({ privilege: 'OPERATE', on: 'PIPE', name: pipeName({ database, schema, pipe }) }),
    ),
  ]
}

/** Of the role and of those it was given. */
async function grantsOf(account: SignedIn, role: string, clock: Clock): Promise<SqlRow[] | undefined> {
  const all: SqlRow[] = []
  let names = [role]
  const seen = new Set<string>()
  for (let depth = 0; depth < DEPTH && names.length > 0; depth++) {
    const next: string[] = []
    for (const name of names) {
      seen.add(name)
      const rows = await rowsIfAllowed(account, `SHOW GRANTS TO ROLE ${quoted(name)}`, clock)
      if (rows === undefined && name === role) return undefined
      for (const row of rows ?? []) {
        all.push(row)
        if (row.granted_on === 'ROLE' && row.name && !seen.has(row.name)) next.push(row.name)
      }
    }
    names = next
  }
  return all
}

/** Whoever owns an object needs no grant. */
function isHeld({ privilege, on, name }: Privilege, held: readonly SqlRow[]): boolean {
  const plain = (text: string | null | undefined) => (text ?? '').replaceAll('"', '')
  return held.some(
    (row) =>
      row.granted_on === on &&
      plain(row.name) === plain(name) &&
      [privilege, 'OWNERSHIP'].includes(row.privilege ?? ''),
  )
}
