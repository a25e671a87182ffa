/** What a value is in JSON, and the type of the column it goes into. */
export type ColumnKind = 'text' | 'integer' | 'number' | 'boolean' | 'timestamp' | 'json'

export interface TableColumn {
  /** JSON key and, whatever the case, column name. */
  readonly key: string
  readonly kind: ColumnKind
  /** Not yet part of a message: the bridge writes it. */
  readonly byBridge?: boolean
  readonly doc: string
}

/** As `CREATE TABLE` wants them. */
export const SQL_TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'VARCHAR',
  // Nanoseconds since 1970 have 19 digits.
  integer: 'NUMBER(38,0)',
  number: 'FLOAT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_NTZ',
  json: 'VARIANT',
}

/** What the bridge writes into each row of a route that is not the Sense HAT's, and what its publishers may send themselves. */
export const ENVELOPE: readonly TableColumn[] = [
  {
    key: 'uuid',
    kind: 'text',
    doc: "`<route>.<device>-<stream>-<seq>`: the row's identity, the same on every redelivery",
  },
  { key: 'device', kind: 'text', doc: 'whose it is, as its topic says' },
  {
    key: 'stream',
    kind: 'text',
    doc: 'one run of the publisher, or of the bridge where the publisher numbers nothing',
  },
  { key: 'seq', kind: 'integer', doc: 'rises by one per row in the stream' },
  { key: 'after', kind: 'text', doc: '`<stream>.<seq>` of the row before this one, when that is not (stream, seq−1)' },
  { key: 'extra', kind: 'json', doc: 'what has no column of its own' },
  { key: 'bridge_received_at', kind: 'timestamp', byBridge: true, doc: 'when the bridge received it, UTC' },
  {
    key: 'ingestion_timestamp',
    kind: 'timestamp',
    byBridge: true,
    doc: 'when the bridge froze the batch for sending, UTC',
  },
]
