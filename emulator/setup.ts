import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { Catalog } from './catalog.ts'
import { type Column, storedAs, typeStoredAs } from './column-type.ts'
import { type Definition, definitionOf, type NameContext } from './definition.ts'
import { completed, translated } from './dialect.ts'
import { literal, type ObjectName, quoted } from './names.ts'
import { statementsOf } from './statement-text.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

/** A file of set-up statements. */
export interface Script {
  readonly file: string
  readonly text: string
}

/** What the emulator does not run at start. */
const NOT_AT_START = new Set(['teardown.sql', 'upgrade.sql'])

/** `setup.sql` first, then the others by name. */
export async function readScripts(directory: string): Promise<Script[]> {
  const from = directory === '' ? packageSqlDirectory() : directory
  try {
    const files = (await readdir(from)).filter((file) => file.endsWith('.sql') && !NOT_AT_START.has(file))
    files.sort((a, b) => Number(b === 'setup.sql') - Number(a === 'setup.sql') || (a < b ? -1 : 1))
    return await Promise.all(files.map(async (file) => ({ file, text: await readFile(join(from, file), 'utf8') })))
  } catch (error) {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the set-up SQL in ${from}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** `sql/` of the package, from the source as well as from `dist/`. */
function packageSqlDirectory(): string {
  const places = ['../sql', '../../sql'].map((place) => fileURLToPath(new URL(place, import.meta.url)))
  return places.find((place) => existsSync(join(place, 'setup.sql'))) ?? (places[0] as string)
}

/** The one database the scripts create; its name is what the DuckDB file is attached as. */
export function databaseOf(scripts: readonly Script[]): string {
  const names = new Set(
    definitionsOf(scripts).flatMap(({ definition }) => (definition.kind === 'database' ? [definition.database] : [])),
  )
  const [name] = names
  if (name === undefined || names.size > 1)
    throw new SnowhatError('E_CONFIG_INVALID', `the set-up SQL must create one database, not ${names.size}`)
  return name
}

interface Located {
  readonly definition: Definition
  readonly place: string
}

function definitionsOf(scripts: readonly Script[]): Located[] {
  const context: NameContext = { database: '', schema: 'PUBLIC' }
  return scripts.flatMap(({ file, text }) =>
    statementsOf(text).map((statement) => {
      const place = `${file}, line ${statement.line}`
      try {
        return { definition: definitionOf(statement, context), place }
      } catch (error) {
        throw new SnowhatError('E_CONFIG_INVALID', `${place}: ${messageOf(error)}`, { cause: error })
      }
    }),
  )
}

/** Creates what the scripts define and is not there yet, and fills the catalog. */
export async function applyScripts(
  scripts: readonly Script[],
  deps: { warehouse: Warehouse; catalog: Catalog; log: Log },
): Promise<void> {
  let skipped = 0
  for (const { definition, place } of definitionsOf(scripts)) {
    if (definition.kind === 'skipped') skipped += 1
    try {
      await apply(definition, deps.warehouse, deps.catalog)
    } catch (error) {
      throw new SnowhatError('E_CONFIG_INVALID', `${place}: ${messageOf(error)}`, { cause: error })
    }
  }
  deps.log.debug({ scripts: scripts.map((script) => script.file), skipped }, 'set-up SQL applied')
}

async function apply(definition: Definition, warehouse: Warehouse, catalog: Catalog): Promise<void> {
  switch (definition.kind) {
    case 'database':
    case 'schema':
      await warehouse.run(`CREATE SCHEMA IF NOT EXISTS ${quoted(definition.database)}.${quoted(definition.schema)}`)
      catalog.addSchema(definition.database, definition.schema)
      return
    case 'table':
      if (definition.replace) await dropTable(definition.name, warehouse, catalog)
      await warehouse.run(
        `CREATE TABLE IF NOT EXISTS ${sqlName(definition.name)} (${definition.columns.map(columnSql).join(', ')})`,
      )
      return addMissing(definition.name, definition.columns, warehouse, catalog)
    case 'add-column':
      return addMissing(definition.name, definition.columns, warehouse, catalog)
    case 'drop-default':
    case 'drop-not-null':
      return changeColumn(definition, warehouse, catalog)
    case 'error-logging': {
      const table = catalog.table(definition.name)
      if (table) catalog.addTable({ ...table, errorLogging: definition.on })
      return
    }
    case 'view':
      return createView(definition, warehouse)
    case 'pipe':
      // A replaced pipe has lost its channels and their offset tokens [documented].
      if (definition.replace) await dropChannels([definition.name], warehouse)
      if (definition.replace || catalog.pipe(definition.name) === undefined) catalog.addPipe(definition)
      return
    case 'drop':
      if (definition.what === 'TABLE') return dropTable(definition.name, warehouse, catalog)
      if (definition.what === 'VIEW') return warehouse.run(`DROP VIEW IF EXISTS ${sqlName(definition.name)}`)
      await dropChannels([definition.name], warehouse)
      catalog.remove(definition.name)
      return
    case 'skipped':
      return
  }
}

async function dropTable(name: ObjectName, warehouse: Warehouse, catalog: Catalog): Promise<void> {
  const own = { ...name, name: `${name.name}-STREAMING` }
  await dropChannels([own, ...catalog.pipesInto(name).map((pipe) => pipe.name)], warehouse)
  await warehouse.run(`DROP TABLE IF EXISTS ${sqlName(name)}`)
  catalog.remove(name)
}

async function dropChannels(pipes: readonly ObjectName[], warehouse: Warehouse): Promise<void> {
  for (const pipe of pipes)
    await warehouse.run(
      `DELETE FROM ${quoted(warehouse.database)}.${OWN_SCHEMA}.CHANNELS WHERE database_name = ${literal(pipe.database)}
       AND schema_name = ${literal(pipe.schema)} AND pipe_name = ${literal(pipe.name)}`,
    )
}

/** Adds the columns the table lacks and takes it into the catalog as DuckDB has it now. */
async function addMissing(
  name: ObjectName,
  wanted: readonly Column[],
  warehouse: Warehouse,
  catalog: Catalog,
): Promise<void> {
  const before = catalog.table(name)
  const there = new Set((await storedColumns(name, warehouse)).map((column) => column.name.toUpperCase()))
  for (const column of wanted)
    if (!there.has(column.name.toUpperCase()))
      await warehouse.run(`ALTER TABLE ${sqlName(name)} ADD COLUMN ${columnSql({ ...column, notNull: false })}`)
  const declared = new Map([...(before?.columns ?? []), ...wanted].map((column) => [column.name.toUpperCase(), column]))
  const columns = (await storedColumns(name, warehouse)).map(
    (column) => declared.get(column.name.toUpperCase()) ?? column,
  )
  catalog.addTable({ name, columns, errorLogging: before?.errorLogging ?? false })
}

async function storedColumns(name: ObjectName, warehouse: Warehouse): Promise<Column[]> {
  const rows = await warehouse.rows(
    `SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = ${literal(name.database)}
     AND schema_name = ${literal(name.schema)} AND table_name = ${literal(name.name)} ORDER BY column_index`,
  )
  return rows.map((row) => {
    const type = typeStoredAs(String(row.data_type))
    if (type === undefined) throw new Error(`the emulator has no type ${row.data_type} (column ${row.column_name})`)
    return { name: String(row.column_name), type, notNull: row.is_nullable === false, defaultText: undefined }
  })
}

async function changeColumn(
  { name, column, kind }: Extract<Definition, { kind: 'drop-default' | 'drop-not-null' }>,
  warehouse: Warehouse,
  catalog: Catalog,
): Promise<void> {
  const table = catalog.table(name)
  const isIt = (known: Column) => known.name.toUpperCase() === column.toUpperCase()
  if (!table?.columns.some(isIt)) throw new Error(`there is no column ${column} in ${name.name}`)
  if (kind === 'drop-not-null')
    await warehouse.run(`ALTER TABLE ${sqlName(name)} ALTER COLUMN ${quoted(column)} DROP NOT NULL`)
  const change = kind === 'drop-default' ? { defaultText: undefined } : { notNull: false }
  catalog.addTable({ ...table, columns: table.columns.map((known) => (isIt(known) ? { ...known, ...change } : known)) })
}

/** Names in a view are stored without the database: the file has another name when it is opened by itself. */
async function createView(
  { name, replace, query }: Extract<Definition, { kind: 'view' }>,
  warehouse: Warehouse,
): Promise<void> {
  const rename = (parts: readonly string[]) => {
    const { database, schema, name: object } = completed(parts, name.database, name.schema)
    return database === name.database && schema === name.schema && parts.length === 3 ? quoted(object) : undefined
  }
  await warehouse.run(`USE ${quoted(name.database)}.${quoted(name.schema)}`)
  try {
    const create = replace ? 'CREATE OR REPLACE VIEW' : 'CREATE VIEW IF NOT EXISTS'
    await warehouse.run(`${create} ${sqlName(name)} AS ${translated(query, { rename })}`)
  } finally {
    await warehouse.run(`USE ${quoted(warehouse.database)}`)
  }
}

function columnSql(column: Column): string {
  return `${quoted(column.name)} ${storedAs(column.type)}${column.notNull ? ' NOT NULL' : ''}`
}

function sqlName({ database, schema, name }: ObjectName): string {
  return [database, schema, name].map(quoted).join('.')
}
