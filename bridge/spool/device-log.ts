import { type Ledger, StreamSets } from '../../src/ledger.ts'
import type { Decision } from '../lanes/decision.ts'
import type { AgreedCounts } from '../lanes/row-account.ts'
import type { TakeOver } from '../lanes/take-over.ts'
import { compareTokens, nextToken, type OffsetToken, sameToken } from '../offset-token.ts'
import { Pack, PackedRow, sizeOf } from './packed-row.ts'
import { type Span, Spans } from './spans.ts'
import type { DeviceCounters, NewRow, PlannedRow, Position, SpooledRow, SpoolUsage } from './spooled-row.ts'

/** What a take-over has made of the tokens that were given in a term and before it. */
export interface Retokening {
  readonly term: number
  /** Ordinals rise by it. */
  readonly by: number
  readonly owner: string
}

/** Readings that have left and are not in the table after all: void in records up to these. */
export interface Forgotten {
  readonly main: number
  readonly aside: number
  readonly readings: StreamSets
}

/**
 * What the spool knows of one device: the rows not known to be in the table, oldest first, and the facts
 * that decide what is new, what is known and what a token means. Whoever changes facts other than through
 * these methods calls `Spool.save` afterwards.
 *
 * Of every row its token is known; the row itself only of the oldest ones, as many as the spool keeps in memory.
 */
export class DeviceLog {
  readonly hostname: string
  readonly #rows: SpooledRow[] = []
  readonly #spans = new Spans()
  #bytes = 0
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
  /**
   * The last ledger by this spool that the broker holds, from before this start: the disk may know less of what is
   * committed, and of its runs nothing is said before the channel is open. Not kept.
   */
  said: Ledger | null = null
  /** Changes at each take-over: an acknowledgement from before it says nothing about tokens after it. */
  term = 0
  /** Oldest first; forgotten when no row is left. */
  retokenings: readonly Retokening[] = []
  /** A row that was refused alone, while its neighbour is tried: the way to a dead letter may be interrupted. */
  suspect: OffsetToken | null = null
  /** What a person has said is not in the table. */
  forgotten: Forgotten | null = null
  /** Its rows are in a log of its own, because they cannot be delivered and would fill the disk for the others. */
  aside = false
  /** Nobody hears of it until something of it comes again; what is in the table stays known (`retire.ts`). */
  retired = false
  /** The last token given before this start. Not kept. */
  given: OffsetToken | null = null

  #usage: SpoolUsage

  constructor(hostname: string, usage: SpoolUsage) {
    this.hostname = hostname
    this.#usage = usage
  }

  /** The oldest rows, as far as they are in memory. */
  get rows(): readonly SpooledRow[] {
    return this.#rows
  }

  /** How many rows wait, in memory or not. */
  get waiting(): number {
    return this.#spans.rows
  }

  /** Bytes of all rows that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** The tokens of all rows that wait. */
  get spans(): Iterable<Span> {
    return this.#spans
  }

  /** The token of the newest row that waits. */
  get newest(): OffsetToken | undefined {
    return this.#spans.last
  }

  /** When the oldest row that waits was received, epoch milliseconds; as near as it is known. */
  get waitingSince(): number | undefined {
    return this.#rows[0]?.receivedAt ?? this.#spans.first?.receivedAt
  }

  /** What the broker held of this device. Gives whether it is by another bridge and new to us. */
  readLedger(ledger: Ledger | null, own: string): boolean {
    this.ledgerRead = true
    this.ledgerId = Math.max(this.ledgerId, ledger?.id ?? 0)
    if (ledger === null) return false
    if (ledger.instance === own) {
      if (!this.opened && ledger.id >= (this.said?.id ?? 0)) this.said = ledger
      return false
    }
    if (this.predecessor !== null && this.predecessor.id >= ledger.id) return false
    this.predecessor = ledger
    this.confirmed = false
    return true
  }

  has(stream: string, seq: number): boolean {
    return this.received.has(stream, seq)
  }

  /** The rows with the tokens they will have. Changes nothing: they are not in the spool yet. */
  plan(owner: string, rows: readonly NewRow[]): PlannedRow[] {
    let last = this.tail
    // A take-over since they came may have found them in the table.
    const fresh = rows.filter(({ stream, seq }) => !this.received.has(stream, seq))
    return fresh.map((row) => {
      last = nextToken(last, owner, row.stream, row.seq)
      return { token: last, json: row.json, receivedAt: row.receivedAt, arrived: row.arrived, record: 0 }
    })
  }

  /** Planned rows are in the spool; `load` keeps them in memory, which only the successors of rows in memory may be. */
  accept(rows: readonly SpooledRow[], load = true): void {
    for (const row of rows) {
      this.#hold(row)
      if (load) this.load(row)
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

  /** The next row comes into memory, if it still waits. */
  load(row: SpooledRow): void {
    if (!this.#spans.has(row.token)) return
    this.#rows.push(row)
    this.#usage.loaded += sizeOf(row).memory
  }

  /** The token that a row bears now which was given one in `term`. */
  tokenNow(term: number, token: OffsetToken): OffsetToken {
    let now = token
    for (const { by, owner, term: until } of this.retokenings)
      if (term <= until) now = { ...now, ordinal: now.ordinal + by, owner }
    return now
  }

  /** Whether a row that waits bears this token, and it was given before this start, or since on known ground. */
  holds(token: OffsetToken): boolean {
    const known = this.opened || (this.given !== null && compareTokens(token, this.given) <= 0)
    return known && this.#spans.has(token)
  }

  /** Whether a row that waits bears this token. */
  waits(token: OffsetToken): boolean {
    return this.#spans.has(token)
  }

  /** How many rows stand up to `token`. */
  countTo(token: OffsetToken): number {
    return this.#spans.countTo(token)
  }

  /** Everything up to `token` is in the table. Gives how many rows left. */
  trimTo(token: OffsetToken): number {
    const before = this.waiting
    const at = this.#rows.findIndex((row) => compareTokens(row.token, token) > 0)
    const loaded = this.#rows.splice(0, at < 0 ? this.#rows.length : at)
    const gone = this.#spans.trimTo(token, loaded.at(-1)?.receivedAt)
    for (const { stream, first, last } of gone) this.committed.add(stream, first, last)
    for (const row of loaded) this.#release(row)
    this.#releaseUnloaded(before - this.waiting - loaded.length)
    this.trimmed = token
    this.confirmed = true
    if (this.waiting === 0) this.retokenings = []
    return before - this.waiting
  }

  /**
   * The rows from `from` on were sent as `body` and wait for their commit. Nothing is changed when these are not the rows
   * of `first` to `last`.
   */
  pack(from: number, rows: number, body: Buffer, [first, last]: readonly [OffsetToken, OffsetToken]): void {
    const sent = this.#rows.slice(from, from + rows)
    const [oldest, newest] = [sent[0]?.token, sent.at(-1)?.token]
    if (oldest === undefined || newest === undefined || sent.length < rows) return
    if (!sameToken(oldest, first) || !sameToken(newest, last)) return
    const pack = new Pack(body, rows)
    for (const [index, row] of sent.entries()) {
      const packed = new PackedRow(row, pack, index)
      this.#usage.loaded += packed.memory - sizeOf(row).memory
      this.#rows[from + index] = packed
    }
  }

  /** A row that can never be stored: accounted for, so that its publisher lets go of it. */
  setAside(row: SpooledRow): void {
    this.#spans.remove(row.token)
    const at = this.#rows.findIndex(({ token }) => sameToken(token, row.token))
    if (at >= 0) {
      this.#rows.splice(at, 1)
      this.#release(row)
    }
    this.suspect = null
    this.committed.add(row.token.stream, row.token.seq)
    this.counters.deadLetters++
  }

  /** Gives up all rows that wait: they are new should they come again. Gives them. */
  giveUpRows(): StreamSets {
    const { newest } = this
    const given = new StreamSets()
    for (const { stream, first, last } of newest === undefined ? [] : this.#spans.trimTo(newest))
      given.add(stream, first, last)
    for (const row of this.#rows.splice(0)) this.#release(row)
    this.#free(0)
    this.retokenings = []
    this.received.clear()
    this.received.addAll(this.committed)
    return given
  }

  /** Accounted for without a row: a dead letter. */
  account(stream: string, seq: number): void {
    this.received.add(stream, seq)
    this.committed.add(stream, seq)
  }

  /**
   * Another bridge had this channel, or this disk is new. `known` is in the table already; all else keeps its
   * order and gets tokens above every ordinal the predecessor has used.
   */
  takeOver(owner: string, { known, declared, at, highestOrdinal, incarnation, agreed }: TakeOver): void {
    this.received.addAll(known)
    this.committed.addAll(known)
    if (declared !== undefined) this.declared.addAll(declared)
    const lowest = this.#spans.first?.ordinal ?? 0
    const by = Math.max(0, highestOrdinal + 1 - lowest)
    const before = this.waiting - this.#rows.length
    this.#spans.retoken(known, by, owner)
    this.retokenings = this.waiting === 0 ? [] : [...this.retokenings, { term: this.term, by, owner }]
    const loaded = this.#rows.splice(0)
    for (const row of loaded) {
      if (known.has(row.token.stream, row.token.seq)) this.#release(row)
      else this.#rows.push(this.#retokened(row, by, owner))
    }
    this.#releaseUnloaded(before - (this.waiting - this.#rows.length))
    this.tail = this.newest ?? { ordinal: highestOrdinal, owner: '', stream: '', seq: 0 }
    this.trimmed = null
    this.takenOverAt = at
    this.incarnation = incarnation
    this.agreed = agreed
    this.resolved = true
    this.confirmed = false
    this.given = null
    this.term++
  }

  /** Tokens are in the frozen bytes of nothing, so a packed row is a row like any other then. */
  #retokened(row: SpooledRow, by: number, owner: string): SpooledRow {
    const { json, receivedAt, arrived, record } = row
    const fresh = { token: { ...row.token, ordinal: row.token.ordinal + by, owner }, json, receivedAt, arrived, record }
    this.#usage.loaded += sizeOf(fresh).memory - sizeOf(row).memory
    return fresh
  }

  /** Its rows are counted elsewhere from now on, and none is in memory. */
  unload(usage: SpoolUsage): void {
    for (const row of this.#rows.splice(0)) this.#usage.loaded -= sizeOf(row).memory
    this.#usage.bytes -= this.#bytes
    usage.bytes += this.#bytes
    this.#usage = usage
  }

  #hold(row: SpooledRow): void {
    this.#spans.push(row.token, row.receivedAt)
    this.#bytes += row.json.length
    this.#usage.bytes += row.json.length
    this.received.add(row.token.stream, row.token.seq)
  }

  #release(row: SpooledRow): void {
    const { bytes, memory } = sizeOf(row)
    this.#usage.loaded -= memory
    this.#free(bytes)
  }

  /** Of rows not in memory only their bytes all together are known: they leave by the average. */
  #releaseUnloaded(rows: number): void {
    if (rows === 0) return
    let loaded = 0
    for (const row of this.#rows) loaded += sizeOf(row).bytes
    const left = this.waiting - this.#rows.length
    this.#free(Math.round(((this.#bytes - loaded) * rows) / (left + rows)))
  }

  /** An average may have been too much or too little: nothing is exactly nothing. */
  #free(bytes: number): void {
    const freed = this.waiting === 0 ? this.#bytes : Math.min(bytes, this.#bytes)
    this.#bytes -= freed
    this.#usage.bytes -= freed
  }
}
