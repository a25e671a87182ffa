import { setImmediate } from 'node:timers/promises'
import type { DuckDBAppender } from '@duckdb/node-api'
import type { Clock } from '../src/clock.ts'
import type { Catalog, Pipe, Table } from './catalog.ts'
import type { Channel, ChannelRecord, Rowset } from './channel.ts'
import type { ColumnType } from './column-type.ts'
import type { Cell, RowError } from './conversion.ts'
import { literal, qualified, quoted } from './names.ts'
import { RowReader } from './row.ts'
import { OWN_SCHEMA, type Warehouse } from './warehouse.ts'

/** Rowsets that commit together, of many channels, in the order of each channel. */
export type DueRowsets = ReadonlyMap<Channel, readonly Rowset[]>

/** The rows of one append, wherever they come from. */
export interface Batch {
  readonly pipe: Pipe
  readonly channelName: string
  readonly lines: readonly string[]
  readonly startOffset: string | null
  readonly endOffset: string | null
}

/** What became of a batch: the rows that are not counted here are in the table. */
export interface BatchResult {
  readonly errors: number
  readonly lastError: RowError | undefined
}

/** Rows written before other work gets its turn. */
const ROWS_AT_A_TIME = 500

/**
 * Rows into tables: reads, converts, counts, appends. What cannot be converted is skipped and recorded; the rest goes in
 * and the offset token moves past it (ON_ERROR = CONTINUE is the only mode) [documented].
 */
export class RowWriter {
  readonly #warehouse: Warehouse
  readonly #catalog: Catalog
  readonly #clock: Clock
  /** A table that was altered is another one: its pipes are compiled anew. */
  readonly #readers = new WeakMap<Table, RowReader>()

  constructor(deps: { warehouse: Warehouse; catalog: Catalog; clock: Clock }) {
    this.#warehouse = deps.warehouse
    this.#catalog = deps.catalog
    this.#clock = deps.clock
  }

  /** Inside a transaction. The records the channels will have when it has succeeded. */
  async write(due: DueRowsets): Promise<Map<Channel, ChannelRecord>> {
    const all = [...due].flatMap(([channel, rowsets]) => rowsets.map((rowset) => ({ channel, rowset })))
    const results = await this.writeBatches(
      all.map(({ channel, rowset }) => ({ ...rowset, pipe: channel.pipe, channelName: channel.name })),
    )
    const records = new Map<Channel, ChannelRecord>()
    for (const [i, { channel, rowset }] of all.entries()) {
      const record = records.get(channel) ?? channel.record
      records.set(channel, this.#recordAfter(record, rowset, results[i] as BatchResult))
    }
    return records
  }

  /** Inside a transaction. Batches of one table go in in their order; the results are in the order of the batches. */
  async writeBatches(batches: readonly Batch[]): Promise<BatchResult[]> {
    const byTable = new Map<string, Batch[]>()
    for (const batch of batches) {
      const table = qualified(batch.pipe.table)
      const ofTable = byTable.get(table) ?? []
      byTable.set(table, ofTable)
      ofTable.push(batch)
    }
    const results = new Map<Batch, BatchResult>()
    const errorRows: string[] = []
    for (const ofTable of byTable.values()) {
      const table = this.#catalog.table((ofTable[0] as Batch).pipe.table) as Table
      const appender = await this.#warehouse.appender(table.name)
      const append = rowAppender(appender, table, this.#warehouse.duckdb)
      try {
        for (const batch of ofTable) results.set(batch, await this.#writeBatch(batch, table, append, errorRows))
        appender.flushSync()
      } finally {
        appender.closeSync()
      }
    }
    await this.#writeErrorRows(errorRows)
    return batches.map((batch) => results.get(batch) as BatchResult)
  }

  async #writeBatch(
    batch: Batch,
    table: Table,
    append: (cells: readonly Cell[]) => void,
    errorRows: string[],
  ): Promise<BatchResult> {
    const reader = this.#readerOf(table)
    let lastError: RowError | undefined
    let errors = 0
    for (const [i, line] of batch.lines.entries()) {
      if (i > 0 && i % ROWS_AT_A_TIME === 0) await setImmediate()
      const row = reader.read(line)
      if ('cells' in row) append(row.cells)
      else {
        errors += 1
        lastError = row.error
        if (table.errorLogging) errorRows.push(this.#errorRow(batch, row))
      }
    }
    return { errors, lastError }
  }

  #recordAfter(record: ChannelRecord, rowset: Rowset, { errors, lastError }: BatchResult): ChannelRecord {
    const now = this.#clock.now()
    return {
      ...record,
      rowSequencer: rowset.rowSequencer,
      offsetToken: rowset.endOffset ?? record.offsetToken,
      rowsParsed: record.rowsParsed + rowset.lines.length,
      rowsInserted: record.rowsInserted + rowset.lines.length - errors,
      rowsErrorCount: record.rowsErrorCount + errors,
      latencyMs: average(record.latencyMs, Math.max(0, now - rowset.acceptedAt)),
      lastActivityAt: now,
      ...(lastError === undefined
        ? {}
        : {
            lastErrorMessage: lastError.message,
            lastErrorOffsetUpperBound: rowset.endOffset,
            lastErrorTimestamp: now,
          }),
    }
  }

  #readerOf(table: Table): RowReader {
    const reader = this.#readers.get(table) ?? new RowReader(table, this.#clock.now())
    this.#readers.set(table, reader)
    return reader
  }

  /** The columns of `ERROR_TABLE(…)` and what they hold for streamed rows [documented]. */
  #errorRow(batch: Batch, { error, line }: { error: RowError; line: string }): string {
    const metadata = {
      service: 'snowpipe_streaming',
      message: error.message,
      details: {
        pipe_name: batch.pipe.name.name,
        channel_name: batch.channelName,
        offset_token_lower_bound: batch.startOffset,
        offset_token_upper_bound: batch.endOffset,
        error_data_truncated: false,
        error_data_content_type: error.code === 100069 ? 'json-invalid' : 'json',
      },
    }
    const at = new Date(this.#clock.now()).toISOString().slice(0, -1)
    const texts = [JSON.stringify(metadata), JSON.stringify({ $1: line })].map(literal)
    return `(${literal(qualified(batch.pipe.table))}, ${literal(at)}, NULL, ${error.code}, ${texts.join(', ')})`
  }

  async #writeErrorRows(rows: readonly string[]): Promise<void> {
    const table = `${quoted(this.#warehouse.database)}.${OWN_SCHEMA}.ERROR_ROWS`
    for (let i = 0; i < rows.length; i += ROWS_AT_A_TIME)
      await this.#warehouse.run(`INSERT INTO ${table} VALUES ${rows.slice(i, i + ROWS_AT_A_TIME).join(', ')}`)
  }
}

/** A running average that forgets slowly; the service's own formula is not known [assumed]. */
function average(before: number, sample: number): number {
  return before === 0 ? Math.round(sample) : Math.round(before * 0.9 + sample * 0.1)
}

function rowAppender(appender: DuckDBAppender, table: Table, duckdb: Warehouse['duckdb']) {
  const writers = table.columns.map((column) => cellAppender(appender, column.type, duckdb))
  return (cells: readonly Cell[]) => {
    for (const [i, write] of writers.entries()) {
      const cell = cells[i] ?? null
      if (cell === null) appender.appendNull()
      else write(cell)
    }
    appender.endRow()
  }
}

function cellAppender(
  appender: DuckDBAppender,
  type: ColumnType,
  duckdb: Warehouse['duckdb'],
): (cell: NonNullable<Cell>) => void {
  switch (type.kind) {
    case 'text':
    case 'variant':
      return (cell) => appender.appendVarchar(cell as string)
    case 'integer':
      return (cell) => appender.appendBigInt(cell as bigint)
    case 'decimal':
      return (cell) => appender.appendDecimal(new duckdb.DuckDBDecimalValue(cell as bigint, type.precision, type.scale))
    case 'float':
      return (cell) => appender.appendDouble(cell as number)
    case 'boolean':
      return (cell) => appender.appendBoolean(cell as boolean)
    case 'timestamp':
      return type.zoned
        ? (cell) => appender.appendTimestampTZ(new duckdb.DuckDBTimestampTZValue(cell as bigint))
        : (cell) => appender.appendTimestamp(new duckdb.DuckDBTimestampValue(cell as bigint))
    case 'date':
      return (cell) => appender.appendDate(new duckdb.DuckDBDateValue(cell as number))
    case 'time':
      return (cell) => appender.appendTime(new duckdb.DuckDBTimeValue(cell as bigint))
    case 'binary':
      return (cell) => appender.appendBlob(cell as Uint8Array)
  }
}
