import type { Catalog, Pipe } from './catalog.ts'
import { literal, type ObjectName, quoted } from './names.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

/** The rows of one Elastic append that was answered with 200. */
export interface ElasticRowset {
  readonly id: number
  readonly pipe: Pipe
  readonly lines: readonly string[]
  /** Epoch ms. */
  readonly acceptedAt: number
}

/** Acknowledged rowsets in the DuckDB file, until their rows are in the table. All writes belong into a transaction. */
export class ElasticStore {
  readonly #warehouse: Warehouse
  readonly #table: string

  constructor(warehouse: Warehouse) {
    this.#warehouse = warehouse
    this.#table = `${quoted(warehouse.database)}.${OWN_SCHEMA}.ELASTIC_ROWSETS`
  }

  /** In the order of their ids. Rowsets of pipes that no longer exist are gone with them [assumed]. */
  async load(catalog: Catalog): Promise<ElasticRowset[]> {
    const rows = await this.#warehouse.rows(`SELECT * FROM ${this.#table} ORDER BY id`)
    const rowsets = rows.map((row) => ({
      id: Number(row.id),
      pipe: catalog.pipe({
        database: String(row.database_name),
        schema: String(row.schema_name),
        name: String(row.pipe_name),
      }),
      lines: Buffer.from(row.body as Uint8Array)
        .toString('utf8')
        .split('\n'),
      acceptedAt: Number(row.accepted_at_ms),
    }))
    const lost = rowsets.filter(({ pipe }) => pipe === undefined).map(({ id }) => id)
    if (lost.length > 0) await this.#warehouse.run(`DELETE FROM ${this.#table} WHERE id IN (${lost.join(', ')})`)
    return rowsets.flatMap(({ pipe, ...rest }) => (pipe === undefined ? [] : [{ pipe, ...rest }]))
  }

  /** An appender takes any bytes and any size, which the text of a statement does not. */
  async add(rowsets: readonly ElasticRowset[]): Promise<void> {
    const { database } = this.#warehouse
    const appender = await this.#warehouse.appender({ database, schema: OWN_SCHEMA, name: 'ELASTIC_ROWSETS' })
    try {
      for (const { id, pipe, lines, acceptedAt } of rowsets) {
        appender.appendBigInt(BigInt(id))
        for (const name of [pipe.name.database, pipe.name.schema, pipe.name.name]) appender.appendVarchar(name)
        appender.appendBigInt(BigInt(Math.round(acceptedAt)))
        appender.appendBlob(Buffer.from(lines.join('\n')))
        appender.endRow()
      }
      appender.flushSync()
    } finally {
      appender.closeSync()
    }
  }

  /** Their rows are in the table: those of a pipe up to an id. */
  async remove(written: readonly { readonly pipe: ObjectName; readonly upTo: number }[]): Promise<void> {
    for (const { pipe, upTo } of written)
      await this.#warehouse.run(`DELETE FROM ${this.#table} WHERE id <= ${upTo} AND ${isOf(pipe)}`)
  }

  async removeAllOf(pipes: readonly ObjectName[]): Promise<void> {
    for (const pipe of pipes) await this.#warehouse.run(`DELETE FROM ${this.#table} WHERE ${isOf(pipe)}`)
  }
}

function isOf({ database, schema, name }: ObjectName): string {
  return `database_name = ${literal(database)} AND schema_name = ${literal(schema)} AND pipe_name = ${literal(name)}`
}
