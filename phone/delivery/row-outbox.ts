import type { Clock } from '../../src/clock.ts'
import { StreamSets } from '../../src/ledger.ts'
import { HeldReadings, outgoing } from '../../src/outbox/held-readings.ts'
import type { Learned, OutboxNotes, OutboxOf } from '../../src/outbox/outbox.ts'
import type { Row } from './row.ts'

/**
 * Rows of one device until its ledger lists them as committed. In memory alone: after a start the same rows are made again,
 * with the same numbers, of what the journal and the snapshot hold.
 */
export class RowOutbox implements OutboxOf<Row> {
  readonly #held = new HeldReadings<Row>({ limit: Number.POSITIVE_INFINITY, aloneMs: 0 }, ({ text }) =>
    Buffer.byteLength(text),
  )
  readonly #clock: Clock
  readonly #onChange: () => void
  #committed = new StreamSets()
  #movedAt: number
  notes: OutboxNotes = { bridge_seen: false }

  /** `onChange`: rows have left, or a bridge was heard. */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock
    this.#onChange = onChange
    this.#movedAt = clock.monotonic()
  }

  get size(): number {
    return this.#held.size
  }

  get unsent(): number {
    return this.#held.unsent
  }

  get unspooled(): number {
    return this.#held.unspooled
  }

  get givenUp(): number {
    return this.#held.givenUp
  }

  get bytes(): number {
    return this.#held.bytes
  }

  /** Milliseconds since a ledger has last shown that something moves, or since there was nothing to move. */
  get stillMs(): number {
    return this.#clock.monotonic() - this.#movedAt
  }

  /** Oldest first, each with the `after` it has to carry: those made of records up to that one. */
  *rowsThrough(record: number): Generator<Row> {
    for (const held of this.#held.all()) {
      if (held.reading.of > record) return
      yield outgoing(held)
    }
  }

  /** Rows up to this one have left in an earlier run. */
  continueAfter(stream: string, seq: number): void {
    this.#held.pass(`${stream}.${seq}`)
  }

  /** One that was made again and is in the table already is not kept. */
  async append(row: Row): Promise<void> {
    if (typeof row.after === 'string') this.#held.pass(row.after)
    if (this.#committed.has(row.stream, row.seq)) {
      this.#held.pass(`${row.stream}.${row.seq}`)
      return
    }
    if (this.size === 0) this.#movedAt = this.#clock.monotonic()
    this.#held.admit(row, this.#clock.monotonic()).stored = true
  }

  async take(limit: { readonly readings: number; readonly bytes: number }): Promise<Row[]> {
    return this.#held.take(limit)
  }

  async learn(spooled: StreamSets, committed: StreamSets): Promise<Learned> {
    const learned = this.#held.learn(spooled, committed)
    this.#committed = committed
    if (learned.released > 0 || learned.spooled > 0) this.#movedAt = this.#clock.monotonic()
    if (learned.released > 0) this.#onChange()
    return learned
  }

  rewind(to: 'unspooled' | 'uncommitted'): number {
    return this.#held.rewind(to)
  }

  resendSkipped(): number {
    return this.#held.resendSkipped()
  }

  note(change: Partial<OutboxNotes>): void {
    this.notes = { ...this.notes, ...change }
    this.#onChange()
  }

  /** The oldest go until no more than `bytes` are held: the next row that is sent declares them. */
  giveUpOldest(bytes: number): void {
    this.#held.giveUpOldest(bytes)
  }
}
