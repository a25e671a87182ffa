import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { messageOf, SnowhatError } from '../src/errors.ts'
import { duckDbSchema, literal, type ObjectName, quoted } from './names.ts'

type DuckDb = typeof import('@duckdb/node-api')

/** The schema of the emulator's own tables, beside the user's. */
export const OWN_SCHEMA = 'SNOWHAT_EMULATOR'

const OWN_TABLES = `
CREATE SCHEMA IF NOT EXISTS ${OWN_SCHEMA};
CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.CHANNELS (
  id BIGINT, database_name VARCHAR, schema_name VARCHAR, pipe_name VARCHAR, channel_name VARCHAR, created_on_ms BIGINT,
  client_sequencer BIGINT, row_sequencer BIGINT, offset_token VARCHAR, rows_parsed BIGINT, rows_inserted BIGINT,
  rows_error_count BIGINT, last_error_message VARCHAR, last_error_offset_upper_bound VARCHAR, last_error_timestamp BIGINT,
  channel_status_code VARCHAR, processing_latency_ms BIGINT, last_activity_ms BIGINT
);
CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.ERROR_ROWS (
  table_name VARCHAR, "timestamp" TIMESTAMP, query_id VARCHAR, error_code BIGINT, error_metadata JSON, error_data JSON
);
CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.ELASTIC_ROWSETS (
  id BIGINT, database_name VARCHAR, schema_name VARCHAR, pipe_name VARCHAR, accepted_at_ms BIGINT, body BLOB
);
CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.SECRETS (name VARCHAR, value VARCHAR);
CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.ACCOUNT (content VARCHAR)`

/**
 * The DuckDB file. It is attached under the name of the first database of the set-up files, so that
 * `DEMO.DEMO.SENSEHAT_SENSOR_DATA` is right here, and whoever opens the file by itself finds the schema `DEMO`. Further
 * databases are schemas of the same file. One connection writes, one reads.
 */
export class Warehouse {
  readonly duckdb: DuckDb
  readonly database: string
  readonly #instance: DuckDBInstance
  readonly #writer: DuckDBConnection
  readonly #reader: DuckDBConnection
  #reading: Promise<unknown> = Promise.resolve()

  private constructor(
    duckdb: DuckDb,
    database: string,
    instance: DuckDBInstance,
    both: [DuckDBConnection, DuckDBConnection],
  ) {
    this.duckdb = duckdb
    this.database = database
    this.#instance = instance
    this.#writer = both[0]
    this.#reader = both[1]
  }

  static async open(directory: string, database: string): Promise<Warehouse> {
    const duckdb = await loadDuckDb()
    const file = join(directory, 'warehouse.duckdb')
    const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '2' })
    try {
      await mkdir(directory, { recursive: true })
      const writer = await instance.connect()
      await writer.run(`ATTACH ${literal(file)} AS ${quoted(database)}`)
      // Queries come over the network: they may see this file and no other.
      await writer.run('SET enable_external_access = false')
      await writer.run(`USE ${quoted(database)}`)
      for (const statement of OWN_TABLES.split(';')) await writer.run(statement)
      return new Warehouse(duckdb, database, instance, [writer, await instance.connect()])
    } catch (error) {
      instance.closeSync()
      throw new SnowhatError('E_FILE_UNREADABLE', `cannot open ${file}: ${messageOf(error)}`, {
        hint: 'Only one process can have the file open: stop the other emulator, or choose another directory with --data.',
        cause: error,
      })
    }
  }

  /** Where the schema is in DuckDB, quoted. */
  schemaAt(database: string, schema: string): string {
    return `${quoted(this.database)}.${quoted(duckDbSchema(this.database, database, schema))}`
  }

  /** Where the object is in DuckDB, quoted. */
  at({ database, schema, name }: ObjectName): string {
    return `${this.schemaAt(database, schema)}.${quoted(name)}`
  }

  async run(sql: string): Promise<void> {
    await this.#writer.run(sql)
  }

  /** A change of rows; how many it changed. Names without a schema are looked for in the one given. */
  async change(sql: string, within: { readonly database: string; readonly schema: string }): Promise<number> {
    await this.#writer.run(`USE ${this.schemaAt(within.database, within.schema)}`)
    try {
      return (await this.#writer.run(sql)).rowsChanged
    } finally {
      await this.#writer.run(`USE ${quoted(this.database)}`)
    }
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#writer.runAndReadAll(sql)).getRowObjectsJS()
  }

  /** Statements and appends of one transaction; all of it, or none. Callers see to it that there is one at a time. */
  async transaction(work: () => Promise<void>): Promise<void> {
    await this.#writer.run('BEGIN')
    try {
      await work()
      await this.#writer.run('COMMIT')
    } catch (error) {
      await this.#writer.run('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  appender(table: ObjectName) {
    return this.#writer.createAppender(
      table.name,
      duckDbSchema(this.database, table.database, table.schema),
      this.database,
    )
  }

  /**
   * The tables and views that a query names itself, each by the parts of its name. A query that cannot be read names
   * none: whoever runs it hears what is wrong with it.
   */
  async tablesIn(sql: string): Promise<string[][]> {
    const result = await this.#reader.runAndReadAll(`SELECT json_serialize_sql(${literal(sql)})`)
    return tablesOf(JSON.parse(String(result.getRows()[0]?.[0])))
  }

  /** One query, in a transaction that cannot write. Names without a schema are looked for in the one given. */
  read(sql: string, within: { readonly database: string; readonly schema: string }) {
    const result = this.#reading.then(async () => {
      await this.#reader.run(`USE ${this.schemaAt(within.database, within.schema)}`)
      await this.#reader.run('BEGIN TRANSACTION READ ONLY')
      try {
        return await this.#reader.runAndReadAll(sql)
      } finally {
        await this.#reader.run('ROLLBACK').catch(() => undefined)
      }
    })
    this.#reading = result.catch(() => undefined)
    return result
  }

  /** Writes everything into the one file and lets go of it. */
  async close(): Promise<void> {
    await this.#reading
    try {
      await this.#writer.run(`CHECKPOINT ${quoted(this.database)}`)
    } finally {
      this.#reader.closeSync()
      this.#writer.closeSync()
      this.#instance.closeSync()
    }
  }
}

/** The tables in a syntax tree of DuckDB's, without the names that WITH gives. */
function tablesOf(tree: unknown): string[][] {
  const tables: string[][] = []
  const given = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { catalog_name, cte_map, schema_name, table_name, type } = node as Record<string, unknown>
    for (const { key } of (cte_map as { map?: { key: string }[] } | undefined)?.map ?? []) given.add(key.toUpperCase())
    if (type === 'BASE_TABLE')
      tables.push([catalog_name, schema_name, table_name].map(String).filter((part) => part !== ''))
    for (const inner of Object.values(node)) visit(inner)
  }
  visit(tree)
  return tables.filter(([name = '', ...more]) => more.length > 0 || !given.has(name.toUpperCase()))
}

async function loadDuckDb(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    throw new SnowhatError('E_MISSING_PACKAGE', 'the emulator keeps its rows in DuckDB, which is not installed', {
      hint: 'npm install @duckdb/node-api@1.5.4-r.1',
      cause: error,
    })
  }
}
