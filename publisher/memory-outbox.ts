import type { StreamSets } from '../src/ledger.ts'
import type { Reading } from '../src/reading.ts'
import { HeldReadings } from './held-readings.ts'
import type { Learned, Outbox } from './outbox.ts'

/** An outbox that is lost with the process. */
export function createMemoryOutbox(limit: number): Outbox {
  return new MemoryOutbox(limit)
}

class MemoryOutbox implements Outbox {
  readonly durable = false
  readonly failed = new Promise<never>(() => undefined)
  readonly #held: HeldReadings

  constructor(limit: number) {
    this.#held = new HeldReadings(limit)
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

  async append(reading: Reading): Promise<void> {
    this.#held.admit(reading).ready = true
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
}
