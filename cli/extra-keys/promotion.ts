import { columnName, identifier, isName } from '../setup-sql/identifier.ts'

/** One kind of value found under one key of `extra`, as `extraKeysQuery` counts it. */
export interface ExtraValue {
  /** As the publisher writes it. */
  readonly key: string
  /** `TYPEOF` of the VARIANT: INTEGER, DECIMAL, DOUBLE, VARCHAR, BOOLEAN, OBJECT, ARRAY, NULL_VALUE. */
  readonly type: string
  readonly rows: number
  /** One of the values, as text. */
  readonly example: string | null
}

/** How a key of `extra` becomes a column of its own. Statements are without semicolons. */
export interface Promotion {
  readonly key: string
  readonly column: string
  readonly type: string
  readonly rows: number
  readonly example: string | null
  readonly addColumn: string
  /** Gives the rows that have the value in `extra` only their column; it writes their part of the table anew. */
  readonly moveRows: string
  /** The value of any row, wherever it stands. */
  readonly expression: string
  /** Why a person should look first. */
  readonly caution: string | undefined
}

/** The table as configured. */
export interface TableName {
  readonly database: string
  readonly schema: string
  readonly table: string
}

/** Columns KEY, TYPE, N, EXAMPLE: the kinds of values that are in `extra`, by key. The whole table is read. */
export function extraKeysQuery(name: TableName): string {
  return `SELECT f.key AS key, TYPEOF(f.value) AS type, COUNT(*) AS n, MIN(CAST(f.value AS VARCHAR)) AS example
FROM ${sqlName(name)} t, LATERAL FLATTEN(INPUT => t.extra) f
GROUP BY f.key, TYPEOF(f.value)
ORDER BY f.key, n DESC, type`
}

const COLUMN_TYPES: Readonly<Record<string, string>> = {
  INTEGER: 'NUMBER',
  DECIMAL: 'FLOAT',
  DOUBLE: 'FLOAT',
  VARCHAR: 'STRING',
  BOOLEAN: 'BOOLEAN',
}

/** What to run for each key of `extra`; a key that cannot be the name of a column stays where it is, and is left out. */
export function promotions(found: readonly ExtraValue[], name: TableName, columns: readonly string[]): Promotion[] {
  const byKey = new Map<string, ExtraValue[]>()
  for (const value of found) if (isName(value.key)) byKey.set(value.key, [...(byKey.get(value.key) ?? []), value])
  const uses = (column: string) => [...byKey.keys()].filter((key) => columnName(key) === column).length
  const taken = new Set(columns.map((column) => column.toUpperCase()))
  return [...byKey].map(([key, values]) => {
    const kinds = new Set(
      values.flatMap(({ type }) => (type === 'NULL_VALUE' ? [] : [COLUMN_TYPES[type] ?? 'VARIANT'])),
    )
    const column = columnName(key)
    const type = commonType(kinds)
    const inExtra = `extra:"${key.replaceAll('"', '""')}"${type === 'VARIANT' ? '' : `::${type}`}`
    return {
      key,
      column,
      type,
      rows: values.reduce((sum, { rows }) => sum + rows, 0),
      example: values.find(({ example }) => example !== null)?.example ?? null,
      addColumn: `ALTER TABLE ${sqlName(name)} ADD COLUMN IF NOT EXISTS ${column} ${type}`,
      moveRows: `UPDATE ${sqlName(name)} SET ${column} = ${inExtra} WHERE ${column} IS NULL AND ${inExtra} IS NOT NULL`,
      expression: `COALESCE(${column}, ${inExtra})`,
      caution: cautionOf(kinds, taken.has(key.toUpperCase()), uses(column) > 1),
    }
  })
}

/** A view with a column for each key, for old rows and new ones. The columns must have been added. */
export function promotedView(all: readonly Promotion[], name: TableName): string {
  const columns = all.map(({ column, expression }) => `${expression} AS ${column}`)
  const view = sqlName({ ...name, table: 'SENSEHAT_PROMOTED' })
  return `CREATE OR REPLACE VIEW ${view} AS
SELECT ${['uuid', 'hostname', 'datetimestamp', ...columns].join(', ')}
FROM ${sqlName(name)}`
}

/** Numbers of both kinds are FLOAT; kinds that have nothing else in common are texts, nested values stay as they are. */
function commonType(kinds: ReadonlySet<string>): string {
  const [only = 'STRING'] = kinds
  if (kinds.size <= 1) return only
  if (kinds.has('VARIANT')) return 'VARIANT'
  return [...kinds].every((kind) => kind === 'NUMBER' || kind === 'FLOAT') ? 'FLOAT' : 'STRING'
}

function cautionOf(kinds: ReadonlySet<string>, isColumn: boolean, isAmbiguous: boolean): string | undefined {
  if (isAmbiguous) return 'another key differs from it only in upper and lower case: both would be the same column'
  if (isColumn) return 'the table has this column already: only moveRows is left to do'
  if (kinds.size === 0) return 'its value has been null in every row: nothing tells its type'
  return kinds.size > 1 ? `its values are of several kinds (${[...kinds].join(', ')})` : undefined
}

function sqlName({ database, schema, table }: TableName): string {
  return [database, schema, table].map(identifier).join('.')
}
