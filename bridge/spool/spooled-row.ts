import type { OffsetToken } from '../offset-token.ts'

/** A row waiting for the table. */
export interface SpooledRow {
  readonly token: OffsetToken
  /** The row as one JSON object in one line, without `ingestion_timestamp`. As bytes: thousands of texts would burden the heap. */
  readonly json: Buffer
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** The same moment on the clock that never jumps; of a row that was read from the disk as far as `receivedAt` can be believed. */
  readonly arrived: number
  /** Number of the record on disk that holds it; 0 in memory. */
  readonly record: number
}

/** It has its token; the number of its record is known when that is written. */
export interface PlannedRow extends SpooledRow {
  record: number
}

export interface NewRow {
  readonly stream: string
  readonly seq: number
  readonly json: Buffer
  readonly receivedAt: number
  readonly arrived: number
}

/** Bytes of rows in a log of rows, over all its devices. */
export interface SpoolUsage {
  /** Of all rows that wait. */
  bytes: number
  /** What those take that are in memory, with their tokens. */
  loaded: number
}

/** One reading in its stream. */
export interface Position {
  readonly stream: string
  readonly seq: number
}

/** What is counted per device, for the ledger. */
export interface DeviceCounters {
  received: number
  redelivered: number
  late: number
  rejected: number
  deadLetters: number
}
