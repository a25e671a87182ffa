import type { Clock } from '../../../src/clock.ts'
import { FIELDS, type FieldKind } from '../../../src/reading.ts'
import type { ColumnKind } from '../../../src/table-columns.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok, skipped, warn } from '../finding.ts'
import { rowsIfAllowed, type SignedIn, type SqlRow } from './signed-in.ts'

/** A column as DESC TABLE shows it. */
export interface TableColumn {
  /** In lower case. */
  readonly name: string
  /** In upper case, with what stands in parentheses. */
  readonly type: string
  readonly nullable: boolean
  readonly default: string | null
}

/** The type a new column gets, and those that hold the same without loss; Snowflake converts what streams into them [documented]. */
const TYPES: Readonly<Record<FieldKind, readonly [make: string, fits: RegExp]>> = {
  string: ['STRING', /^(VARCHAR|STRING|TEXT|CHAR|VARIANT)/],
  integer: ['NUMBER', /^(NUMBER|DECIMAL|NUMERIC|INT|BIGINT|FLOAT|DOUBLE|REAL|VARCHAR|TEXT|STRING|VARIANT)/],
  // NUMBER alone has no decimals: 21.4 would become 21.
  number: ['FLOAT', /^(FLOAT|DOUBLE|REAL|VARCHAR|TEXT|STRING|VARIANT|(NUMBER|DECIMAL|NUMERIC)\(\d+, ?[1-9]\d*\))/],
  boolean: ['BOOLEAN', /^(BOOLEAN|VARCHAR|TEXT|STRING|VARIANT)/],
  timestamp: ['TIMESTAMP_NTZ', /^(TIMESTAMP|DATETIME|VARCHAR|TEXT|STRING|VARIANT)/],
}
const EXTRA = 'extra'
const STANDS_STILL = /CURRENT_TIMESTAMP|CURRENT_DATE|CURRENT_TIME|LOCALTIMESTAMP|SYSDATE|GETDATE/i

/** DESC TABLE against a reading. */
export const columnsCheck: Check = {
  id: 'snowflake.columns',
  side: 'bridge',
  needs: ['account', 'table'],
  gives: ['columns'],
  async run(examination): Promise<Finding[]> {
    const account = examination.take('account')
    const table = examination.take('table')
    const columns = await columnsOf(account, table.name, examination.clock)
    if (columns === undefined) return [skipped('snowflake.columns', `this role may not ask DESC TABLE ${table.name}`)]
    examination.give('columns', columns)
    return [
      ...missingColumns(columns, table.name),
      ...wrongColumns(columns, table.name),
      ...stillDefaults(columns, table.name),
    ]
  },
}

/** `undefined`: the table is not there, or this role may not ask. */
export async function columnsOf(account: SignedIn, table: string, clock: Clock): Promise<TableColumn[] | undefined> {
  const rows = await rowsIfAllowed(account, `DESC TABLE ${table}`, clock)
  return rows === undefined || rows.length === 0 ? undefined : rows.map(columnOf)
}

/** Whether a column takes all that a record may have there. */
export function takes(column: TableColumn, kind: ColumnKind): boolean {
  if (kind === 'json') return /^(VARIANT|OBJECT|ARRAY)/.test(column.type)
  return TYPES[kind === 'text' ? 'string' : kind][1].test(column.type)
}

function columnOf(row: SqlRow): TableColumn {
  return {
    name: (row.name ?? row.column_name ?? '').toLowerCase(),
    type: (row.type ?? row.column_type ?? '').toUpperCase(),
    nullable: !/^(N|NO|FALSE)$/i.test(row['null?'] ?? row.null ?? 'Y'),
    default: row.default ?? null,
  }
}

export function missingColumns(columns: readonly TableColumn[], table: string): Finding[] {
  const there = new Set(columns.map(({ name }) => name))
  const missing = [
    ...FIELDS.map(({ key, kind }) => [key, TYPES[kind][0]] as const),
    [EXTRA, 'VARIANT'] as const,
  ].filter(([key]) => !there.has(key))
  if (missing.length === 0)
    return [ok('snowflake.columns', `${table} has a column for each of ${FIELDS.length} fields, and for the others`)]
  return [
    broken('snowflake.columns', `${table} lacks ${missing.map(([key]) => key).join(', ')}`, {
      why: 'Snowflake drops a value without a column, and says nothing',
      fix: 'run the statements; sql/upgrade.sql has the same for a table of the first system',
      sql: missing.map(([key, type]) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${key} ${type};`).join('\n'),
    }),
  ]
}

export function wrongColumns(columns: readonly TableColumn[], table: string): Finding[] {
  const findings: Finding[] = []
  for (const { name, type, nullable } of columns) {
    const field = FIELDS.find(({ key }) => key === name)
    const [make, fits] =
      field === undefined ? (name === EXTRA ? (['VARIANT', /^(VARIANT|OBJECT)/] as const) : []) : TYPES[field.kind]
    if (fits !== undefined && !fits.test(type))
      findings.push(
        broken(
          'snowflake.columns',
          `${table}.${name} is ${type}, and a reading has ${field?.kind ?? 'an object'} there`,
          {
            why: 'such values are refused row by row, or cut',
            fix: 'the statements keep what is there under another name',
            sql: `ALTER TABLE ${table} RENAME COLUMN ${name} TO ${name}_before;\nALTER TABLE ${table} ADD COLUMN ${name} ${make};`,
          },
        ),
      )
    const mayBeNull =
      field === undefined || ('nullable' in field && field.nullable) || ('optional' in field && field.optional)
    if (!nullable && mayBeNull)
      findings.push(
        broken('snowflake.columns', `${table}.${name} is NOT NULL, and a reading may have no value there`, {
          why: 'Snowflake refuses every such row (100072)',
          fix: 'allow it',
          sql: `ALTER TABLE ${table} ALTER COLUMN ${name} DROP NOT NULL;`,
        }),
      )
  }
  return findings
}

export function stillDefaults(columns: readonly TableColumn[], table: string): Finding[] {
  const still = columns.filter((column) => STANDS_STILL.test(column.default ?? ''))
  if (still.length === 0) return [ok('snowflake.default', 'no column has a default that stands still')]
  return still.map(({ name }) =>
    warn('snowflake.default', `${table}.${name} has the time of day as its default`, {
      why: 'in a streaming pipe that is worked out once, when the pipe is compiled, and stands still from then on',
      fix: 'drop the default; the bridge sends the time',
      sql: `ALTER TABLE ${table} ALTER COLUMN ${name} DROP DEFAULT;`,
    }),
  )
}
