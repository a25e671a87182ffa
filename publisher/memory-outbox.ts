import type { Clock } from '../src/clock.ts'
import type { StreamSets } from '../src/ledger.ts'
import { type Bounds, HeldReadings } from '../src/outbox/held-readings.ts'
import type { BootTime } from '../src/outbox/outbox.ts'
import type { Reading } from '../src/reading.ts'
import { type Learned, type Outbox, type OutboxNotes, trustedTime } from './outbox.ts'

/** An outbox that is lost with the process. */
export function createMemoryOutbox(bounds: Bounds, clock: Clock): Outbox {
  return new MemoryOutbox(bounds, clock)
}

class MemoryOutbox implements Outbox {
  readonly durable = false
  readonly failed = new Promise<never>(() => undefined)
  readonly #held: HeldReadings<Reading>
  readonly #clock: Clock
  #notes: OutboxNotes = { bridge_seen: false, clock_wait: null, newest_ms: null }

  constructor(bounds: Bounds, clock: Clock) {
    this.#held = new HeldReadings(bounds)
    this.#clock = clock
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

  get heldBack(): number {
    return this.#held.heldBack
  }

  get givenUp(): number {
    return this.#held.givenUp
  }

  get notes(): OutboxNotes {
    return this.#notes
  }

  note(change: Partial<OutboxNotes>): void {
    this.#notes = { ...this.#notes, ...change }
    this.#held.alone = !this.#notes.bridge_seen
  }

  async append(reading: Reading, takenAt?: BootTime): Promise<void> {
    this.#held.admit(reading, this.#clock.monotonic(), takenAt).stored = true
    this.#trust(reading)
  }

  async settle(correct: (reading: Reading, takenAt: BootTime) => Reading): Promise<number> {
    const waiting = this.#held.all().filter(({ takenAt }) => takenAt !== undefined)
    for (const held of waiting) {
      if (held.takenAt !== undefined) this.#held.letGo(held, correct(held.reading, held.takenAt))
      this.#trust(held.reading)
    }
    return waiting.length
  }

  async take(limit: { readonly readings: number; readonly bytes: number }): Promise<Reading[]> {
    return this.#held.take(limit)
  }

  async learn(spooled: StreamSets, committed: StreamSets): Promise<Learned> {
    return this.#held.learn(spooled, committed)
  }

  rewind(to: 'unspooled' | 'uncommitted'): number {
    return this.#held.rewind(to)
  }

  resendSkipped(): number {
    return this.#held.resendSkipped()
  }

  async close(): Promise<void> {}

  #trust(reading: Reading): void {
    const newest_ms = trustedTime(reading)
    if (newest_ms !== undefined) this.note({ newest_ms })
  }
}
