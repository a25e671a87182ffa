import { Bell } from '../../src/bell.ts'
import { deviceName } from '../../src/device-key.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/journal-record.ts'
import type { Pump, Pumped } from './pump.ts'

export interface PumpingDeps {
  readonly journal: Journal
  readonly pump: Pump
  readonly delivery: Delivery
  /** Of each record that has become rows. */
  readonly onPumped: (record: JournalRecord, pumped: Pumped) => void
}

/** Reads the journal from where the pump is, for ever, as far as there is room for what it makes. */
export class Pumping {
  readonly #deps: PumpingDeps
  readonly #bell = new Bell()
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Rejects when it cannot go on: the process must end. */
  readonly failed: Promise<never>
  #announceFailure: (error: unknown) => void = () => undefined

  constructor(deps: PumpingDeps) {
    this.#deps = deps
    deps.journal.onRecord(() => this.#bell.ring())
    this.failed = new Promise((_, reject) => {
      this.#announceFailure = reject
    })
    this.failed.catch(() => undefined)
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => this.#announceFailure(error))
  }

  /** After the record at work. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#bell.ring()
    await this.#running
  }

  async #run(): Promise<void> {
    const { journal, pump } = this.#deps
    while (!this.#stop.signal.aborted) {
      if (pump.position >= journal.durableSequence) await this.#bell.wait()
      else await this.#pumpOn()
    }
  }

  async #pumpOn(): Promise<void> {
    const { journal, pump, delivery, onPumped } = this.#deps
    const through = journal.durableSequence
    for await (const { sequence, record } of journal.read(pump.position + 1)) {
      await delivery.room(this.#stop.signal)
      if (this.#stop.signal.aborted) return
      const pumped = pump.process(sequence, record)
      // All of them in the turn the pump has moved on in: a snapshot must find them held, or it would forget them.
      await Promise.all(pumped.rows.map((row) => delivery.add(row)))
      for (const deviceId of pumped.forgotten) delivery.forget(deviceName(deviceId))
      onPumped(record, pumped)
    }
    // What the disk has damaged is not read again and again.
    if (pump.position < through) pump.skip(through)
  }
}
