import type { Catalog } from './catalog.ts'
import { Channel, type ChannelRecord } from './channel.ts'
import { literal, type ObjectName, qualified, quoted } from './names.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

/** Columns that a commit changes, with the field of the record they keep. */
const CHANGING: readonly (readonly [column: string, field: keyof ChannelRecord])[] = [
  ['client_sequencer', 'clientSequencer'],
  ['row_sequencer', 'rowSequencer'],
  ['offset_token', 'offsetToken'],
  ['rows_parsed', 'rowsParsed'],
  ['rows_inserted', 'rowsInserted'],
  ['rows_error_count', 'rowsErrorCount'],
  ['last_error_message', 'lastErrorMessage'],
  ['last_error_offset_upper_bound', 'lastErrorOffsetUpperBound'],
  ['last_error_timestamp', 'lastErrorTimestamp'],
  ['channel_status_code', 'statusCode'],
  ['processing_latency_ms', 'latencyMs'],
  ['last_activity_ms', 'lastActivityAt'],
]

/** The channels in the DuckDB file. Its writes belong into the transaction that writes the rows they speak of. */
export class ChannelStore {
  readonly #warehouse: Warehouse
  readonly #table: string

  constructor(warehouse: Warehouse) {
    this.#warehouse = warehouse
    this.#table = `${quoted(warehouse.database)}.${OWN_SCHEMA}.CHANNELS`
  }

  /** Channels of pipes that no longer exist are left out. */
  async load(catalog: Catalog): Promise<Channel[]> {
    const rows = await this.#warehouse.rows(`SELECT * FROM ${this.#table}`)
    return rows.flatMap((row) => {
      const pipe = catalog.pipe({
        database: String(row.database_name),
        schema: String(row.schema_name),
        name: String(row.pipe_name),
      })
      if (pipe === undefined) return []
      const record = Object.fromEntries(CHANGING.map(([column, field]) => [field, plain(row[column])]))
      return [new Channel(String(row.channel_name), pipe, Number(row.id), record as unknown as ChannelRecord, true)]
    })
  }

  /** The records may be newer than those the channels hold: they become theirs when the transaction has succeeded. */
  async save(records: ReadonlyMap<Channel, ChannelRecord>): Promise<void> {
    const all = [...records]
    const added = all.filter(([channel]) => !channel.stored)
    const changed = all.filter(([channel]) => channel.stored)
    const columns = CHANGING.map(([column]) => column)
    if (added.length > 0)
      await this.#warehouse.run(
        `INSERT INTO ${this.#table} (id, created_on_ms, database_name, schema_name, pipe_name, channel_name, ${columns.join(', ')})
         VALUES ${added.map(([channel, record]) => `(${identity(channel)}, ${values(record)})`).join(', ')}`,
      )
    if (changed.length > 0)
      await this.#warehouse.run(
        `UPDATE ${this.#table} AS c SET ${columns.map((column) => `${column} = v.${column}`).join(', ')}
         FROM (VALUES ${changed.map(([channel, record]) => `(${channel.createdOnMs}, ${values(record)})`).join(', ')})
         AS v(id, ${columns.join(', ')}) WHERE c.id = v.id`,
      )
  }

  /** Forgets the channels of these pipes that nobody has loaded. */
  async removeAllOf(pipes: readonly ObjectName[]): Promise<void> {
    for (const pipe of pipes)
      await this.#warehouse.run(
        `DELETE FROM ${this.#table} WHERE database_name = ${literal(pipe.database)}
         AND schema_name = ${literal(pipe.schema)} AND pipe_name = ${literal(pipe.name)}`,
      )
  }

  async remove(channels: readonly Channel[]): Promise<void> {
    const ids = channels.filter((channel) => channel.stored).map((channel) => channel.createdOnMs)
    if (ids.length > 0) await this.#warehouse.run(`DELETE FROM ${this.#table} WHERE id IN (${ids.join(', ')})`)
  }
}

function identity({ createdOnMs, pipe, name }: Channel): string {
  const { database, schema, name: pipeName } = pipe.name
  return [createdOnMs, createdOnMs, ...[database, schema, pipeName, name].map(literal)].join(', ')
}

function values(record: ChannelRecord): string {
  return CHANGING.map(([, field]) => {
    const value = record[field]
    return typeof value === 'number' ? String(value) : literal(value)
  }).join(', ')
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** Key of a channel among all: its pipe and its name without regard to case. */
export function channelId(pipe: Channel['pipe'], key: string): string {
  return `${qualified(pipe.name)}/${key}`
}
