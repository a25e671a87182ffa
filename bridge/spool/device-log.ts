import { type Ledger, StreamSets } from '../../src/ledger.ts'
import type { Decision } from '../lanes/decision.ts'
import type { AgreedCounts } from '../lanes/row-account.ts'
import { compareTokens, nextToken, type OffsetToken } from '../offset-token.ts'

/** A row waiting for the table. */
export interface SpooledRow {
  readonly token: OffsetToken
  /** The row as one JSON object, without `ingestion_timestamp`. */
  readonly json: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** The same moment on the clock that never jumps; 0 for a row of an earlier process. */
  readonly arrived: number
  /** Number of the record on disk that holds it; 0 in memory. */
  readonly record: number
}

/** What a take-over has found out. */
export interface TakeOver {
  /** Known to be in the table. */
  readonly known: StreamSets
  /** The committed token, as Snowflake gave it. */
  readonly at: string | null
  /** The largest ordinal anybody has used. */
  readonly highestOrdinal: number
  /** `created_on_ms` of the channel. */
  readonly incarnation: number | null
  /** The channel's counts at that token. */
  readonly agreed: AgreedCounts
}

export interface NewRow {
  readonly stream: string
  readonly seq: number
  readonly json: string
  readonly receivedAt: number
  readonly arrived: number
}

/** Bytes of rows in a spool, over all its devices. */
export interface SpoolUsage {
  bytes: number
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

/**
 * What the spool knows of one device: the rows not known to be in the table, oldest first, and the facts
 * that decide what is new, what is known and what a token means. Whoever changes facts other than through
 * these methods calls `Spool.save` afterwards.
 */
export class DeviceLog {
  readonly hostname: string
  readonly rows: SpooledRow[] = []
  /** Every reading ever taken in; what decides whether one is a duplicate. Never forgotten. */
  readonly received = new StreamSets()
  /** In the table, or a dead letter. */
  readonly committed = new StreamSets()
  /** Given up by the publisher, as its `after` said. */
  readonly declared = new StreamSets()
  readonly counters: DeviceCounters = { received: 0, redelivered: 0, late: 0, rejected: 0, deadLetters: 0 }
  /** The last token given. */
  tail: OffsetToken | null = null
  /** The last committed token of this spool's own, up to which rows have left. */
  trimmed: OffsetToken | null = null
  /** The committed token that was found at the take-over, as Snowflake gave it: another program's may be anything. */
  takenOverAt: string | null = null
  /** The channel was opened by this spool once, so its tokens stand on known ground. */
  resolved = false
  /** `created_on_ms` of the channel. */
  incarnation: number | null = null
  /** The channel's counts at the last token up to which rows have left. */
  agreed: AgreedCounts = { parsed: 0, errors: 0 }
  /** Chosen once: a move loses the channel's offset. */
  pipe: string | null = null
  /** The ledger of the bridge before us, repeated in ours until a token of ours has committed. */
  predecessor: Ledger | null = null
  confirmed = false
  /** The id of the last ledger by anybody. */
  ledgerId = 0
  /** Epoch milliseconds. */
  lastCommitAt: number | null = null
  /** What a person has decided when the lane was held last. */
  decision: Decision | null = null
  /** The last position given in the stream this bridge makes for publishers that number nothing. */
  made: Position | null = null
  /** This process has opened the channel: its tokens are final, and its runs may stand in the ledger. Not kept. */
  opened = false
  /** This process has seen what the broker holds of this device, so its own ledger lies over nothing unread. Not kept. */
  ledgerRead = false
  /** Changes at each take-over: an acknowledgement from before it says nothing about tokens after it. */
  term = 0

  readonly #usage: SpoolUsage

  constructor(hostname: string, usage: SpoolUsage) {
    this.hostname = hostname
    this.#usage = usage
  }

  /** What the broker held of this device. Gives whether it is by another bridge and new to us. */
  readLedger(ledger: Ledger | null, own: string): boolean {
    this.ledgerRead = true
    this.ledgerId = Math.max(this.ledgerId, ledger?.id ?? 0)
    if (ledger === null || ledger.instance === own) return false
    if (this.predecessor !== null && this.predecessor.id >= ledger.id) return false
    this.predecessor = ledger
    this.confirmed = false
    return true
  }

  has(stream: string, seq: number): boolean {
    return this.received.has(stream, seq)
  }

  /** The rows with the tokens they will have. Changes nothing: they are not in the spool yet. */
  plan(owner: string, rows: readonly NewRow[]): SpooledRow[] {
    let last = this.tail
    return rows.map((row) => {
      last = nextToken(last, owner, row.stream, row.seq)
      return { token: last, json: row.json, receivedAt: row.receivedAt, arrived: row.arrived, record: 0 }
    })
  }

  /** Planned rows are in the spool. */
  accept(rows: readonly SpooledRow[]): void {
    for (const row of rows) {
      this.#hold(row)
      this.tail = row.token
      this.counters.received++
    }
  }

  /** A row found on the disk; the counters know of it already, or will not. */
  restore(row: SpooledRow): void {
    if (this.committed.has(row.token.stream, row.token.seq)) return
    this.#hold(row)
    if (this.tail === null || compareTokens(row.token, this.tail) > 0) this.tail = row.token
  }

  #hold(row: SpooledRow): void {
    this.rows.push(row)
    this.#usage.bytes += row.json.length
    this.received.add(row.token.stream, row.token.seq)
  }

  /** How many rows stand up to `token`. */
  countTo(token: OffsetToken): number {
    const beyond = this.rows.findIndex((row) => compareTokens(row.token, token) > 0)
    return beyond < 0 ? this.rows.length : beyond
  }

  /** Everything up to `token` is in the table. Gives how many rows left. */
  trimTo(token: OffsetToken): number {
    let left = 0
    for (const row of this.rows) {
      if (compareTokens(row.token, token) > 0) break
      this.committed.add(row.token.stream, row.token.seq)
      this.#usage.bytes -= row.json.length
      left++
    }
    this.rows.splice(0, left)
    this.trimmed = token
    this.confirmed = true
    return left
  }

  /** A row that can never be stored: accounted for, so that its publisher lets go of it. */
  setAside(row: SpooledRow): void {
    const at = this.rows.indexOf(row)
    if (at >= 0) {
      this.rows.splice(at, 1)
      this.#usage.bytes -= row.json.length
    }
    this.committed.add(row.token.stream, row.token.seq)
    this.counters.deadLetters++
  }

  /**
   * Another bridge had this channel, or this disk is new. `known` is in the table already; all else keeps its
   * order and gets tokens above every ordinal the predecessor has used.
   */
  takeOver(owner: string, { known, at, highestOrdinal, incarnation, agreed }: TakeOver): void {
    this.received.addAll(known)
    this.committed.addAll(known)
    const kept = this.rows.filter((row) => !known.has(row.token.stream, row.token.seq))
    for (const row of this.rows) this.#usage.bytes -= row.json.length
    this.rows.length = 0
    let last: OffsetToken = { ordinal: highestOrdinal, owner: '', stream: '', seq: 0 }
    for (const row of kept) {
      last = nextToken(last, owner, row.token.stream, row.token.seq)
      this.#hold({ ...row, token: last })
    }
    this.tail = last
    this.trimmed = null
    this.takenOverAt = at
    this.incarnation = incarnation
    this.agreed = agreed
    this.resolved = true
    this.confirmed = false
    this.term++
  }

  /** All rows stand in this record now. */
  moved(record: number): void {
    for (const [i, row] of this.rows.entries()) this.rows[i] = { ...row, record }
  }
}
