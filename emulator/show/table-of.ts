/** Rows that SHOW and DESCRIBE answer with: everything is text, but `created_on` and its like, which are epoch ms. */
export interface Shown {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

/** Columns in this order; what a row does not have is empty. */
export function shown(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string | number | null>>[],
): Shown {
  return { columns, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) }
}

/** LIKE of SHOW: `%` and `_`, without regard to case [documented]. */
export function likeness(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true
  const source = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  const expression = new RegExp(`^${source}$`, 'is')
  return (name) => expression.test(name)
}
