import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { BootTime } from '../src/outbox/outbox.ts'
import { type Reading, timesOf } from '../src/reading.ts'
import type { BootClock } from './boot-clock.ts'
import type { ClockLook, ClockState, ClockSync } from './clock-sync.ts'
import type { Outbox } from './outbox.ts'

/** The time of a reading, and what is known of it. */
export interface Moment {
  readonly epochMs: number
  readonly clock: ClockState
  /** The same moment by the boot clock, while the other may still be corrected by it. */
  readonly takenAt?: BootTime | undefined
}

export interface ClockWaitDeps {
  readonly clock: Clock
  readonly boot: BootClock
  readonly sync: ClockSync
  readonly outbox: Outbox
  readonly log: Log
  /** Readings were let go. */
  readonly onSettled: () => void
}

/** How often the clock is looked at while readings wait for it. */
const LOOK_EVERY_MS = 1_000

/**
 * A Pi has no battery clock: what it measures before a time service has set the clock bears a wrong time. Until they
 * are sent for the first time such readings can be corrected, for the boot clock knows how long ago they were taken.
 *
 * So they are held back in the outbox, until
 * - the clock is set: all of this boot are corrected and go;
 * - or there is a connection, and the clock is not expected to be set, or the wait has lasted: they go as they are, and
 *   so does what follows in this boot. The wait counts from the first connection: before that it costs nothing.
 */
export class ClockWait {
  readonly #waitMs: number
  readonly #deps: ClockWaitDeps
  readonly #closing = new AbortController()
  /** Readings are held back. */
  #open = false
  /** Wall clock when the boot clock was 0, once the clock is set. */
  #epochAtBoot: number | undefined
  /** By the boot clock. */
  #since: number | null = null
  #look: ClockLook = { state: 'unsynced', expected: false }
  #told = false
  #settling: Promise<unknown> = Promise.resolve()

  constructor(waitMs: number, deps: ClockWaitDeps) {
    this.#waitMs = waitMs
    this.#deps = deps
  }

  /** Before the first reading. What an earlier run of this boot held back is waited for on, or let go. */
  async begin(): Promise<void> {
    const { outbox, boot } = this.#deps
    const before = outbox.notes.clock_wait
    const sameBoot = before?.boot === boot.boot
    this.#since = sameBoot ? before.since : null
    this.#open = true
    await this.#lookAgain()
    if (this.#open && sameBoot && before.over) this.#end(undefined)
    await this.#settling
    if (this.#open) void this.#watch()
  }

  /** The clock may yet be set: what it shows now is not to be believed. */
  get isWaiting(): boolean {
    return this.#open
  }

  /** Readings are held back though they could be sent. */
  get isHoldingUp(): boolean {
    return this.#open && this.#since !== null && this.#deps.outbox.heldBack > 0
  }

  /** The clock is looked at first: it may be set at any time, and never is a time of before called one of after. */
  async moment(): Promise<Moment> {
    const { state } = await this.#lookAgain()
    const { clock, boot } = this.#deps
    const epochMs = clock.now()
    if (!this.#open) return { epochMs, clock: state }
    return { epochMs, clock: state, takenAt: { boot: boot.boot, ms: boot.ms() } }
  }

  /** What the outbox is to keep, at the moment it gets it: the wait may have ended since the reading was begun. */
  asKept(reading: Reading, { takenAt }: Moment): [reading: Reading, takenAt?: BootTime] {
    if (takenAt === undefined) return [reading]
    return this.#open ? [reading, takenAt] : [this.#correct(reading, takenAt)]
  }

  connected(): void {
    if (!this.#open) return
    const first = this.#since === null
    this.#since ??= this.#deps.boot.ms()
    this.#decide()
    if (first && this.#open) this.#note()
  }

  /** Nothing is waited for any more. Resolves when what was held back may go. */
  async giveUp(): Promise<void> {
    if (this.#open) this.#end(undefined)
    await this.#settling
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#settling
  }

  async #watch(): Promise<void> {
    const { clock, log } = this.#deps
    while (this.#open && !this.#closing.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, this.#closing.signal).catch(() => undefined)
      if (this.#closing.signal.aborted) return
      await this.#lookAgain().catch((error: unknown) => log.error({ err: error }, 'the clock could not be looked at'))
    }
  }

  async #lookAgain(): Promise<ClockLook> {
    this.#look = await this.#deps.sync.look()
    if (this.#open) this.#decide()
    return this.#look
  }

  #decide(): void {
    const { clock, boot, log } = this.#deps
    if (this.#look.state === 'synced') this.#end(clock.now() - boot.ms())
    if (!this.#open || this.#since === null) return
    if (!this.#look.expected || boot.ms() - this.#since >= this.#waitMs) this.#end(undefined)
    if (!this.#open || this.#told) return
    this.#told = true
    log.warn(
      { wait: this.#waitMs / 1_000 },
      'the clock is not set yet: readings wait for it, so that their times can be corrected (clock_wait)',
    )
  }

  #end(epochAtBoot: number | undefined): void {
    this.#open = false
    this.#epochAtBoot = epochAtBoot
    // Where the clock is set the next run will see that it is.
    if (epochAtBoot === undefined) this.#note()
    this.#settling = this.#settle()
  }

  async #settle(): Promise<void> {
    const { outbox, log, onSettled } = this.#deps
    try {
      const rows = await outbox.settle((reading, takenAt) => this.#correct(reading, takenAt))
      if (rows === 0) return
      if (this.#epochAtBoot !== undefined)
        log.info({ rows }, 'the clock is set: the times of earlier readings are corrected')
      else if (this.#told) log.warn({ rows }, 'the clock was not set in time: readings go with the time it shows')
      onSettled()
    } catch (error) {
      // An outbox that has failed has told its owner.
      log.error({ err: error }, 'readings that waited for the clock could not be let go')
    }
  }

  #correct(reading: Reading, { boot, ms }: BootTime): Reading {
    if (this.#epochAtBoot === undefined || boot !== this.#deps.boot.boot) return reading
    return withTime(reading, Math.round(this.#epochAtBoot + ms))
  }

  #note(): void {
    const clock_wait = { boot: this.#deps.boot.boot, since: this.#since, over: !this.#open }
    this.#deps.outbox.note({ clock_wait })
  }
}

/** The reading with every value that says when it was taken made anew. Its `uuid` stays: it names no time. */
function withTime(reading: Reading, epochMs: number): Reading {
  const { compact, ...times } = timesOf(epochMs)
  return { ...reading, ...times, rowid: `${compact}_${reading.uuid}`, clock: 'corrected' }
}
