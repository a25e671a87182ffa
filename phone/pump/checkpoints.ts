import type { Clock } from '../../src/clock.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { messageOf } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import type { Log } from '../../src/log.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Seen } from '../intake/seen.ts'
import type { Journal } from '../journal/journal.ts'
import type { Pump, PumpState } from './pump.ts'
import type { Recogniser } from './recogniser.ts'
import { writePhoneSnapshot } from './snapshot.ts'

export interface CheckpointsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs: FileSystem
  readonly dir: string
  readonly journal: Journal
  readonly pump: Pump
  readonly recogniser: Recogniser
  readonly seen: Seen
  readonly delivery: Delivery
}

/** A state that is to be written. */
interface Candidate {
  readonly pump: PumpState
  readonly recogniser: unknown
}

const EVERY_MS = 10_000
const LOOK_EVERY_MS = 1_000
/** When the journal has taken that share of its room, rows that are not in the table go into the snapshot with it. */
const LARGE_SHARE = 4

/**
 * Writes snapshots, and lets go of what lies before them. A state is taken every ten seconds and written when the rows made before it
 * are in the table: so a snapshot is small, and as long as the bridge is away the journal keeps what it needs. Where that would fill the disk,
 * and at the end, it is written with those rows.
 */
export class Checkpoints {
  readonly #deps: CheckpointsDeps
  readonly #maxBytes: number
  readonly #writing = new Gate(1)
  #candidate: Candidate | undefined
  #takenAt: number
  /** Of the last snapshot, and of the one before: that one is read where the disk has damaged the last. */
  #written: number
  #before: number
  #cancel: (() => void) | undefined
  #closed = false

  constructor(maxBytes: number, deps: CheckpointsDeps) {
    this.#deps = deps
    this.#maxBytes = maxBytes
    this.#takenAt = deps.clock.monotonic()
    this.#written = deps.pump.position
    this.#before = deps.pump.position
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => {
      void this.#writing
        .pass(() => this.#look())
        .catch((error: unknown) =>
          this.#deps.log.error({ reason: messageOf(error) }, 'no snapshot could be written, trying again'),
        )
        .finally(() => {
          if (!this.#closed) this.start()
        })
    })
  }

  /** Writes down what is, whatever has become of the rows. */
  now(): Promise<void> {
    return this.#writing.pass(() => this.#write(this.#take()))
  }

  /** With a last snapshot. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.now()
  }

  async #look(): Promise<void> {
    const { clock, journal, pump, delivery } = this.#deps
    if (this.#candidate === undefined) {
      if (clock.monotonic() - this.#takenAt < EVERY_MS || pump.position === this.#written) return
      this.#candidate = this.#take()
    }
    const isLarge = journal.usage().bytes > this.#maxBytes / LARGE_SHARE
    if (isLarge || delivery.held(this.#candidate.pump.position).next().done === true) await this.#write(this.#candidate)
  }

  #take(): Candidate {
    const { clock, pump, recogniser } = this.#deps
    this.#takenAt = clock.monotonic()
    return { pump: pump.state(), recogniser: recogniser.snapshot() }
  }

  async #write({ pump, recogniser }: Candidate): Promise<void> {
    const { fs, dir, seen, delivery, journal } = this.#deps
    const rows = [...delivery.held(pump.position)]
    await writePhoneSnapshot(fs, dir, { pump, recogniser, seen: seen.saved(), rows, bridgeSeen: delivery.bridgeSeen })
    this.#candidate = undefined
    this.#before = this.#written
    this.#written = pump.position
    await journal.forgetBefore(this.#before + 1)
  }
}
