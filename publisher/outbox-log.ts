import type { DurableLog } from '../src/durable-log/durable-log.ts'
import { SnowhatError } from '../src/errors.ts'
import { Gate } from '../src/gate.ts'
import type { Log } from '../src/log.ts'
import type { Held, Place } from '../src/outbox/held-readings.ts'
import type { BootTime } from '../src/outbox/outbox.ts'
import type { Reading } from '../src/reading.ts'
import { later } from './outbox-contents.ts'
import { encodeRecord } from './outbox-record.ts'

/*
 * The readings of an outbox as records of a durable log: one is written when a reading comes, another one when what it
 * says is settled, another one when it stays so long that it would keep all that is gone on the disk. The last counts, and
 * the one before is let go only when that is durable.
 *
 * While the disk is full readings are kept in memory, and written when there is room again.
 */

/** A reading whose record is in the log or on its way there. */
interface Written {
  readonly held: Held<Reading>
  /** Its number in the log; none while the disk has no room for it. */
  sequence: number | undefined
}

/** So many are encoded at once, that a Pi with little memory can. */
const REWRITE_AT_ONCE = 256

export class OutboxLog {
  readonly #log: DurableLog
  readonly #segmentBytes: number
  readonly #report: Log
  /** Places rise in it. */
  #written: Written[] = []
  /** The end of `#written` that has no number yet. */
  #unwritten: Written[] = []
  /** The last durable reading that is no longer in `#written`. */
  #passed: Place | undefined
  /** One at a time: of two records of one place the newer must say what the reading says. */
  readonly #writing = new Gate(1)
  #full = false

  constructor(log: DurableLog, segmentBytes: number, report: Log) {
    this.#log = log
    this.#segmentBytes = segmentBytes
    this.#report = report
  }

  /** Readings for which the disk has no room. */
  get unwritten(): number {
    return this.#unwritten.length
  }

  get isFull(): boolean {
    return this.#full
  }

  /** Those of an earlier run, in order, and the last place it knew. */
  restored(
    held: readonly { readonly held: Held<Reading>; readonly sequence: number }[],
    last: Place | undefined,
  ): void {
    this.#written = [...held]
    this.#passed = last
  }

  /** Resolves when it is written, or has to be kept in memory. */
  keep(held: Held<Reading>): Promise<void> {
    const written: Written = { held, sequence: undefined }
    this.#written.push(written)
    this.#unwritten.push(written)
    return this.writeWaiting()
  }

  /** What waits, in order, until it is all written or the disk has no room. */
  writeWaiting(): Promise<void> {
    return this.#writing.pass(() => this.#writeWaiting())
  }

  /**
   * Writes anew what all readings held back say, and gives it to `settled` once that is durable. On a full disk they are
   * settled in memory alone: they are for going on, and nobody but the bridge could tell the difference.
   */
  settle(
    correct: (reading: Reading, takenAt: BootTime) => Reading,
    settled: (held: Held<Reading>, reading: Reading) => void,
  ): Promise<number> {
    return this.#writing.pass(async () => {
      const changes = this.#written.flatMap((written) => {
        const { held } = written
        if (held.gone || held.takenAt === undefined) return []
        return [{ written, now: { ...held, reading: correct(held.reading, held.takenAt), takenAt: undefined } }]
      })
      await this.#rewrite(changes.filter(({ written }) => written.sequence !== undefined)).catch((error: unknown) => {
        if (!isFull(error)) throw error
        this.#report.error({ err: error }, 'the disk is full: that times are corrected is known in memory only')
      })
      for (const { written, now } of changes) settled(written.held, now.reading)
      return changes.length
    })
  }

  /**
   * Up to which place all are durable or declared by one that is, and the last place that is durable. A reading given up
   * counts as gone only when the one that declares it is durable: that one's `before` is before it, so nothing after the
   * `before` of a reading that is not durable is said to be gone.
   */
  durable(): { readonly through: number; readonly last: Place | undefined } {
    const isDurable = ({ sequence }: Written) => sequence !== undefined && sequence <= this.#log.durableSequence
    const at = this.#written.findIndex((one) => !isDurable(one))
    const end = at < 0 ? this.#written.length : at
    const last = later(this.#written[end - 1]?.held.place, this.#passed)
    let through = last?.order ?? 0
    for (const { held } of this.#written.slice(end)) through = Math.min(through, held.before.order)
    return { through, last }
  }

  /** Forgets what has left up to that place, and gives its room back: whole segments, from the oldest on. */
  async forget(through: number): Promise<void> {
    const needed: Written[] = []
    let first = Number.POSITIVE_INFINITY
    for (const one of this.#written) {
      if (!isNeeded(one, through)) this.#passed = later(one.held.place, this.#passed)
      else {
        needed.push(one)
        first = Math.min(first, one.sequence ?? Number.POSITIVE_INFINITY)
      }
    }
    this.#written = needed
    await this.#log.deleteBefore(Number.isFinite(first) ? first : this.#log.nextSequence)
  }

  /**
   * A reading that stays keeps all segments after its own on the disk. Where what has left is at least as much as what
   * would have to be moved, and a segment or more, the oldest records are written once more at the end. So the log is no
   * larger than twice what is held and two segments. Gives whether more is to be moved: one segment at a time, for
   * new readings wait meanwhile.
   */
  compact(): Promise<boolean> {
    return this.#writing.pass(async () => {
      const { bytes, records } = this.#log.usage()
      if (bytes < 2 * this.#segmentBytes || records === 0) return false
      const perRecord = bytes / records
      const { through } = this.durable()
      const stay = this.#written.filter((one) => one.sequence !== undefined && isNeeded(one, through))
      stay.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))
      let count = 0
      for (let moved = 1; moved <= stay.length; moved++) {
        const passed = (stay[moved]?.sequence ?? this.#log.nextSequence) - this.#log.firstSequence
        if (moved * 2 <= passed && (passed - moved) * perRecord >= this.#segmentBytes) count = moved
      }
      const now = Math.min(count, Math.ceil(this.#segmentBytes / perRecord))
      try {
        await this.#rewrite(stay.slice(0, now).map((written) => ({ written, now: written.held })))
      } catch (error) {
        if (!isFull(error)) throw error
        return true
      }
      return now < count
    })
  }

  /** The old records stay in force until all the new ones are durable. */
  async #rewrite(
    changes: readonly { readonly written: Written; readonly now: Omit<Held<Reading>, 'stored'> }[],
  ): Promise<void> {
    if (changes.length === 0) return
    const sequences: number[] = []
    for (let at = 0; at < changes.length; at += REWRITE_AT_ONCE) {
      const some = changes.slice(at, at + REWRITE_AT_ONCE)
      sequences.push(...(await Promise.all(some.map(({ now }) => this.#log.append(encodeRecord(now))))))
    }
    await this.#log.sync()
    changes.forEach(({ written }, i) => {
      written.sequence = sequences[i]
    })
  }

  async #writeWaiting(): Promise<void> {
    for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
      if (next.held.gone) this.#dropGone()
      else {
        // Known before it is there, so that no segment is deleted under it.
        next.sequence = this.#log.nextSequence
        try {
          await this.#log.append(encodeRecord(next.held))
        } catch (error) {
          next.sequence = undefined
          if (!isFull(error)) throw error
          return this.#keepInMemory(error)
        }
        next.held.stored = true
        this.#unwritten.shift()
      }
    }
    if (this.#full) this.#report.info('the disk has room again: the readings kept in memory are on it')
    this.#full = false
  }

  /**
   * Those that left while they waited for the disk. In the table, one declares there what it had to; given up, the one it
   * was given up for has taken that over, and waits behind it.
   */
  #dropGone(): void {
    const dropped = ({ held, sequence }: Written) => held.gone && sequence === undefined
    this.#unwritten = this.#unwritten.filter((one) => !dropped(one))
    this.#written = this.#written.filter((one) => !dropped(one))
  }

  #keepInMemory(error: unknown): void {
    this.#dropGone()
    for (const { held } of this.#unwritten) held.stored = true
    if (!this.#full)
      this.#report.error({ err: error }, 'the disk is full: new readings are kept in memory until there is room')
    this.#full = true
  }
}

function isNeeded({ held }: Written, through: number): boolean {
  return !held.gone || held.place.order > through
}

function isFull(error: unknown): boolean {
  return error instanceof SnowhatError && error.code === 'E_LOG_FULL'
}
