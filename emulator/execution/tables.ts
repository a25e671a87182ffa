import type { Catalog } from '../catalog.ts'
import { type Column, storedAs, typeStoredAs } from '../column-type.ts'
import { duckDbSchema, literal, type ObjectName, quoted } from '../names.ts'
import { sqlRefusal } from '../sql-refusal.ts'
import type { TableChange } from '../statements/definition.ts'
import type { Warehouse } from '../warehouse.ts'

interface Storage {
  readonly warehouse: Warehouse
  readonly catalog: Catalog
}

/** Makes the table where it is not there; where it is, adds the columns it lacks. */
export async function makeTable(
  { warehouse, catalog }: Storage,
  name: ObjectName,
  columns: readonly Column[],
  errorLogging: boolean,
): Promise<void> {
  await warehouse.run(`CREATE TABLE IF NOT EXISTS ${warehouse.at(name)} (${columns.map(columnSql).join(', ')})`)
  await addMissing({ warehouse, catalog }, name, columns, errorLogging)
}

export async function changeTable(storage: Storage, name: ObjectName, change: TableChange): Promise<void> {
  const { catalog, warehouse } = storage
  const table = catalog.table(name)
  if (table === undefined) return
  const find = (column: string) => {
    const found = table.columns.find((known) => isSame(known.name, column))
    if (found === undefined)
      throw sqlRefusal('000904', '42000', `SQL compilation error: invalid identifier '${column}'`)
    return found
  }
  const put = (column: Column, changed: Partial<Column>) =>
    catalog.addTable({
      ...table,
      columns: table.columns.map((known) => (known === column ? { ...known, ...changed } : known)),
    })
  switch (change.change) {
    case 'add': {
      const taken = change.columns.find((column) => table.columns.some((known) => isSame(known.name, column.name)))
      if (taken !== undefined && !change.ifAbsent)
        throw sqlRefusal(
          '001430',
          '42601',
          `SQL compilation error: column '${taken.name.toUpperCase()}' already exists`,
        )
      return addMissing(storage, name, change.columns, table.errorLogging)
    }
    case 'drop':
      for (const column of change.columns)
        await warehouse.run(`ALTER TABLE ${warehouse.at(name)} DROP COLUMN ${quoted(find(column).name)}`)
      catalog.addTable({
        ...table,
        columns: table.columns.filter(({ name: known }) => !change.columns.some((column) => isSame(known, column))),
      })
      return
    case 'drop-default':
      return put(find(change.column), { defaultText: undefined })
    case 'drop-not-null':
      await warehouse.run(
        `ALTER TABLE ${warehouse.at(name)} ALTER COLUMN ${quoted(find(change.column).name)} DROP NOT NULL`,
      )
      return put(find(change.column), { notNull: false })
    case 'error-logging':
      return catalog.addTable({ ...table, errorLogging: change.on })
    case 'none':
      return
  }
}

/** Adds the columns the table lacks and takes it into the catalog as DuckDB has it now. */
async function addMissing(
  { warehouse, catalog }: Storage,
  name: ObjectName,
  wanted: readonly Column[],
  errorLogging: boolean,
): Promise<void> {
  const before = catalog.table(name)
  const there = await storedColumns(name, warehouse)
  for (const column of wanted)
    if (!there.some((known) => isSame(known.name, column.name)))
      await warehouse.run(`ALTER TABLE ${warehouse.at(name)} ADD COLUMN ${columnSql({ ...column, notNull: false })}`)
  const declared = new Map([...(before?.columns ?? []), ...wanted].map((column) => [column.name.toUpperCase(), column]))
  const columns = (await storedColumns(name, warehouse)).map(
    (column) => declared.get(column.name.toUpperCase()) ?? column,
  )
  catalog.addTable({ name, columns, errorLogging })
}

async function storedColumns(name: ObjectName, warehouse: Warehouse): Promise<Column[]> {
  const schema = duckDbSchema(warehouse.database, name.database, name.schema)
  const rows = await warehouse.rows(
    `SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = ${literal(warehouse.database)}
     AND schema_name = ${literal(schema)} AND table_name = ${literal(name.name)} ORDER BY column_index`,
  )
  return rows.map((row) => {
    const type = typeStoredAs(String(row.data_type))
    if (type === undefined) throw new Error(`the emulator has no type ${row.data_type} (column ${row.column_name})`)
    return { name: String(row.column_name), type, notNull: row.is_nullable === false, defaultText: undefined }
  })
}

function columnSql(column: Column): string {
  return `${quoted(column.name)} ${storedAs(column.type)}${column.notNull ? ' NOT NULL' : ''}`
}

/** Names of columns are compared without regard to case: DuckDB does so. */
function isSame(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase()
}
