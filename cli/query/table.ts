import type { ResultSet } from '../../bridge/snowpipe/sql.ts'
import { counted } from '../../src/counted.ts'

const LONGEST_CELL = 60
const NUMERIC = /^(fixed|real|number|float|double|integer|bigint|decimal)/i

/** A result set as an aligned table. */
export function renderTable({ columns, rows }: ResultSet): string {
  const table = alignedTable(
    columns.map(({ name, type }) => ({ name, numeric: NUMERIC.test(type) })),
    rows.map((row) => row.map((value) => clip(value ?? 'NULL'))),
  )
  return `${table}\n(${counted(rows.length, 'row')})`
}

export interface Column {
  readonly name: string
  readonly numeric: boolean
}

/** Columns as wide as their widest cell; numbers to the right, as in every database shell. */
export function alignedTable(columns: readonly Column[], cells: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(column.name.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => (columns[i]?.numeric ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [
    line(columns.map((column) => column.name)),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...cells.map(line),
  ].join('\n')
}

/** One JSON object per row. */
export function renderJson({ columns, rows }: ResultSet): string {
  return rows
    .map((row) => JSON.stringify(Object.fromEntries(columns.map((c, i) => [c.name, row[i] ?? null]))))
    .join('\n')
}

function clip(text: string): string {
  const flat = text.replace(/\s+/g, ' ')
  return flat.length > LONGEST_CELL ? `${flat.slice(0, LONGEST_CELL - 1)}…` : flat
}
