import type { DuckDBResultReader, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { Outcome } from './execution/ground.ts'
import type { Shown } from './show/table-of.ts'

/** Rows as the SQL REST API answers them, `jsonv2`: everything is text [documented]. */
export interface SqlResult {
  readonly rowType: readonly Readonly<Record<string, unknown>>[]
  readonly data: readonly (readonly (string | null)[])[]
}

const PLAIN = { scale: null, precision: null, length: null, byteLength: null, collation: null }
const TEXT = { type: 'text', ...PLAIN, length: 16_777_216, byteLength: 16_777_216 }
const INSTANT = { type: 'timestamp_ltz', ...PLAIN, precision: 0, scale: 9 }
const PLACE = { database: '', schema: '', table: '', nullable: true }

/** Unquoted names come back in upper case [documented]. */
export function resultOfQuery(reader: DuckDBResultReader, statement: string): SqlResult {
  const types = reader.columnTypes()
  return {
    rowType: reader.columnNames().map((name, i) => ({
      name: statement.includes(`"${name}"`) ? name : name.toUpperCase(),
      ...PLACE,
      ...snowflakeType(types[i] as DuckDBType),
    })),
    data: reader.getRows().map((row) => row.map(textOf)),
  }
}

/** Columns of SHOW and DESCRIBE keep their lower case [documented]. */
export function resultOfShow({ columns, rows }: Shown): SqlResult {
  return {
    rowType: columns.map((name) => ({ name, ...PLACE, ...(isInstant(name) ? INSTANT : TEXT) })),
    data: rows.map((row) =>
      row.map((value, i) => {
        if (value === null) return null
        return isInstant(columns[i] ?? '') ? secondsText(BigInt(Math.round(Number(value))) * 1000n) : String(value)
      }),
    ),
  }
}

export function resultOfOutcome(outcome: Outcome): SqlResult {
  return resultOfShow(typeof outcome === 'string' ? { columns: ['status'], rows: [[outcome]] } : outcome)
}

function isInstant(column: string): boolean {
  return column === 'created_on' || column === 'expires_at'
}

function snowflakeType(type: DuckDBType): Record<string, unknown> {
  const name = type.alias ?? String(type)
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(name) ?? []
  if (precision !== undefined) return { type: 'fixed', ...PLAIN, precision: Number(precision), scale: Number(scale) }
  if (/INT(EGER)?$/.test(name)) return { type: 'fixed', ...PLAIN, precision: 38, scale: 0 }
  if (name === 'DOUBLE' || name === 'FLOAT') return { type: 'real', ...PLAIN }
  if (name === 'BOOLEAN') return { type: 'boolean', ...PLAIN }
  if (name === 'DATE') return { type: 'date', ...PLAIN }
  if (name === 'TIME') return { type: 'time', ...PLAIN, precision: 0, scale: 9 }
  if (name === 'TIMESTAMP WITH TIME ZONE') return INSTANT
  if (name.startsWith('TIMESTAMP')) return { ...INSTANT, type: 'timestamp_ntz' }
  if (name === 'JSON') return { type: 'variant', ...PLAIN }
  return TEXT
}

/** Everything is text: times in seconds since 1970 with nine decimals, dates in days [documented]. */
function textOf(value: DuckDBValue): string | null {
  if (value === null) return null
  if (typeof value === 'object' && 'micros' in value) return secondsText(value.micros)
  if (typeof value === 'object' && 'days' in value && !('months' in value)) return String(value.days)
  return String(value)
}

function secondsText(micros: bigint): string {
  const size = micros < 0n ? -micros : micros
  const fraction = String(size % 1_000_000n).padStart(6, '0')
  return `${micros < 0n ? '-' : ''}${size / 1_000_000n}.${fraction}000`
}
