import type { Events } from '../src/events.ts'
import type { Reopen } from './lanes/channel-news.ts'
import type { Refused } from './routes/route.ts'
import type { NewRow } from './spool/spooled-row.ts'

/** What happens in the bridge. Metrics, the page and tests listen; nothing steers by it. */
export interface BridgeEventMap extends Record<string, unknown[]> {
  /** The main connection works: readings can come. */
  'broker:connected': []
  /** Messages that came together are in the spool, or kept as dead letters; `ms` is how long that took. */
  'messages:taken': [messages: number, bytes: number, ms: number]
  /** Readings of one or several messages are in the spool, in the order in which they came. */
  'readings:spooled': [device: string, rows: readonly Pick<NewRow, 'json'>[]]
  'reading:redelivered': [device: string, stream: string, seq: number]
  'reading:refused': [device: string, code: Refused['code'], reason: string]
  'channel:opened': [device: string, committed: string | null]
  /** After something went wrong with it. `rows` had been appended before, are not committed, and are appended again. */
  'channel:reopened': [device: string, reason: string, rows: number, cause: Reopen['cause']]
  /** `bytes` before compression; `billed`: what Snowflake counts of them, estimated. */
  'batch:appended': [
    device: string,
    rows: number,
    bytes: number,
    trigger: 'rows' | 'bytes' | 'age' | 'drain',
    billed: number,
  ]
  /** Rows are proved to be in the table. `lagMs` is the age of the oldest of them since it was received. */
  'rows:committed': [device: string, rows: number, lagMs: number]
  'rows:rejected': [device: string, rows: number, message: string | null]
  /** Rows can not be delivered until something changes. */
  'lane:blocked': [device: string, code: string, reason: string]
  'lane:unblocked': [device: string]
  /** It was taken out of use, and what the broker holds of it is about to be emptied. */
  'device:forgotten': [device: string]
  'ledger:published': [device: string, id: number]
}

export type BridgeEvents = Events<BridgeEventMap>
