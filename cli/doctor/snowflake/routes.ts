import { phoneRoutes } from '../../../bridge/routes/phone-routes.ts'
import type { RecordRouteSettings } from '../../../bridge/routes/record-route.ts'
import { routeOfKey } from '../../../src/device-key.ts'
import { PHONE_ROUTES } from '../../../src/phone-records.ts'
import { phonesSection } from '../../../src/phones-section.ts'
import { type ColumnKind, ENVELOPE, SQL_TYPES } from '../../../src/table-columns.ts'
import { columnName, identifier } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, ok, skipped } from '../finding.ts'
import { columnsOf, type TableColumn, takes } from './columns.ts'
import { askPipe, type PipeTrouble, roleName, tableOf } from './pipe.ts'

const ID = 'snowflake.routes'
/** In every row of a route, whoever publishes. */
const ALWAYS: ReadonlySet<string> = new Set([
  'uuid',
  'device',
  'stream',
  'seq',
  'bridge_received_at',
  'ingestion_timestamp',
])
const PHONE_NAMES: ReadonlySet<string> = new Set(Object.values(PHONE_ROUTES).map(({ route }) => route))

/** Pipes, tables and columns of every route but the Sense HAT's. Those of phones only where there are phones. */
export const routesCheck: Check = {
  id: ID,
  side: 'bridge',
  needs: ['account', 'ownRoutes'],
  after: ['heard'],
  async run(examination): Promise<Finding[]> {
    const phones = hasPhones(examination) ? phoneRoutes(examination.settings.phones) : []
    const routes = [...phones, ...examination.take('ownRoutes')]
    if (routes.length === 0) return [skipped(ID, "no phone has sent anything, and no route of one's own is configured")]
    return (await Promise.all(routes.map((route) => examined(route, examination)))).flat()
  },
}

/** They are configured by default, and most people have none. */
function hasPhones(examination: Examination): boolean {
  const { phones } = examination.settings
  const isSet = Object.entries(phonesSection).some(
    ([key, { default: usual }]) => String(phones[key as keyof typeof phones]) !== String(usual),
  )
  const devices = [...(examination.find('heard')?.ledgers.keys() ?? [])]
  return isSet || devices.some((device) => PHONE_NAMES.has(routeOfKey(device) ?? ''))
}

async function examined(route: RecordRouteSettings, examination: Examination): Promise<Finding[]> {
  const account = examination.take('account')
  const { clock } = examination
  const { name, destination } = route
  const { database, schema, pipes } = destination
  const table = await tableOf(account, destination, clock)
  const leadsTo = table?.name ?? [database, schema, 'THE_TABLE_OF_THE_ROUTE'].map(identifier).join('.')
  const asked = await Promise.all(
    pipes.map((pipe) => askPipe(account, { database, schema, pipe }, { table: leadsTo, devices: [], clock })),
  )
  const troubles = asked.filter((one) => 'finding' in one)
  if (troubles.length > 0) return troubles.map((one) => troubleOf(route, one, table?.name, examination))
  if (table === undefined) return [ok(ID, `${name}: ${pipes.join(', ')} can be streamed into`)]
  const columns = await columnsOf(account, table.name, clock)
  if (columns === undefined)
    return [ok(ID, `${name}: ${table.name} can be streamed into; this role may not ask for its columns`)]
  const wrong = wrongIn(columns, route, table.name)
  return wrong.length > 0 ? wrong : [ok(ID, `${name}: ${table.name} can be streamed into, and has its columns`)]
}

function troubleOf(
  route: RecordRouteSettings,
  { path, finding }: PipeTrouble,
  table: string | undefined,
  examination: Examination,
): Finding {
  const { name, destination } = route
  const what = `${name}: ${finding.what}`
  // Who streams by the table's own pipe needs the table and the right to it; the pipe is there with it.
  if (table === undefined || !path.pipe.endsWith('-STREAMING') || !/DOES_NOT_EXIST/.test(finding.what))
    return { ...finding, id: ID, what }
  const why = 'the table is not there, or the role may not put rows into it; Snowflake says the same to both'
  if (PHONE_NAMES.has(name))
    return broken(ID, `${name}: rows of phones cannot get into ${table}`, {
      why,
      fix: 'run what snowhat setup-sql --phones prints; what is there already stays',
    })
  const role = roleName(examination.take('account').settings)
  const [database, schema] = [destination.database, destination.schema].map(identifier)
  return broken(ID, `${name}: rows cannot get into ${table}`, {
    why,
    fix: 'correct database, schema and table in its file; where they are right, run the statements, which change nothing that is there already',
    sql: `${createTable(route, table)}
GRANT USAGE ON DATABASE ${database} TO ROLE ${role};
GRANT USAGE ON SCHEMA ${database}.${schema} TO ROLE ${role};
GRANT INSERT ON TABLE ${table} TO ROLE ${role};`,
  })
}

/** Key, as the file has it, to its kind; those of the envelope are the bridge's. */
function wanted({ columns }: RecordRouteSettings): Map<string, ColumnKind> {
  return new Map([...columns, ...ENVELOPE.map(({ key, kind }): [string, ColumnKind] => [key, kind])])
}

function createTable(route: RecordRouteSettings, table: string): string {
  const lines = [...wanted(route)].map(([key, kind]) => `  ${columnName(key)} ${SQL_TYPES[kind]}`)
  return `CREATE TABLE IF NOT EXISTS ${table} (\n${lines.join(',\n')}\n) ERROR_LOGGING = TRUE;`
}

export function wrongIn(columns: readonly TableColumn[], route: RecordRouteSettings, table: string): Finding[] {
  const { name } = route
  const there = new Map(columns.map((column) => [column.name, column]))
  const findings: Finding[] = []
  const missing = [...wanted(route)].filter(([key]) => !there.has(key.toLowerCase()))
  if (missing.length > 0)
    findings.push(
      broken(ID, `${name}: ${table} lacks ${missing.map(([key]) => key).join(', ')}`, {
        why: 'Snowflake drops a value without a column, and says nothing',
        fix: 'run the statements',
        sql: missing
          .map(([key, kind]) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${columnName(key)} ${SQL_TYPES[kind]};`)
          .join('\n'),
      }),
    )
  for (const [key, kind] of wanted(route)) {
    const column = there.get(key.toLowerCase())
    if (column === undefined || takes(column, kind)) continue
    const [old, fresh] = [columnName(`${key}_before`), columnName(key)]
    findings.push(
      broken(ID, `${name}: ${table}.${key} is ${column.type}, and the route has ${kind} there`, {
        why: 'such values are refused row by row, or cut',
        fix: 'correct the kind in the file of the route, or run the statements, which keep what is there under another name',
        sql: `ALTER TABLE ${table} RENAME COLUMN ${fresh} TO ${old};\nALTER TABLE ${table} ADD COLUMN ${fresh} ${SQL_TYPES[kind]};`,
      }),
    )
  }
  for (const { name: column, nullable } of columns)
    if (!nullable && !ALWAYS.has(column))
      findings.push(
        broken(ID, `${name}: ${table}.${column} is NOT NULL, and a record may have no value there`, {
          why: 'Snowflake refuses every such row (100072)',
          fix: 'allow it',
          sql: `ALTER TABLE ${table} ALTER COLUMN ${columnName(column)} DROP NOT NULL;`,
        }),
      )
  return findings
}
