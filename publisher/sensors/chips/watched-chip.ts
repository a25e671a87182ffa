import { backoffMs } from '../../../src/backoff.ts'
import type { Clock } from '../../../src/clock.ts'
import { Doubling } from '../../../src/doubling.ts'
import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'
import { hex } from '../bus/bus.ts'
import { BusFault } from '../bus/bus-fault.ts'
import { type Chip, ChipFault } from './chip.ts'

/**
 * absent: not found at its address · starting: found, being set up · ok: its last sample was good ·
 * failing: found, but its last sample or its start was not
 */
export type ChipState = 'absent' | 'starting' | 'ok' | 'failing'

/** How a chip is, for `info`, the log and `snowhat publisher probe`. */
export interface ChipHealth {
  readonly chip: string
  /** On the bus, as `0x5f`; `null` until it was found. */
  readonly address: string | null
  readonly state: ChipState
  /** Samples and starts that failed. */
  readonly failures: number
  /** Starts after the first one. */
  readonly restarts: number
  /** One sentence, also about samples that are used and odd; `null` when all is well. */
  readonly problem: string | null
}

export interface WatchedChipDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** Aborted when the board is closed. */
  readonly signal: AbortSignal
  /** Told when a chip that worked has failed on the bus. */
  readonly onBusFault: (fault: BusFault) => void
}

/** Control registers are read back that often. */
const VERIFY_EVERY_MS = 10_000
/** A sample may fail by chance; after that many in a row the chip is started again. */
const STRIKES = 3
const RESTART = { firstMs: 1_000, maxMs: 60_000 } as const

/**
 * Keeps one chip going: no fault of it reaches anybody but as `null`, a count and a sentence. It is found and
 * started again by itself, with growing pauses, for as long as it is asked for samples.
 */
export class WatchedChip<Sample> {
  readonly #chip: Chip<Sample>
  readonly #deps: WatchedChipDeps
  /** A chip this board need not have is no problem until it was seen. */
  readonly #optional: boolean
  #state: ChipState = 'absent'
  #seen = false
  #problem: string | null = null
  #hint: string | undefined
  readonly #failures = new Doubling()
  /** The log speaks of a failure that is not over. */
  #told = false
  #doubted = false
  #starts = 0
  /** Failures since the last good sample. */
  #strikes = 0
  /** Starts since the last good sample, for the pauses between them. */
  #attempts = 0
  #startAt: number | undefined
  #verifiedAt = Number.NEGATIVE_INFINITY
  #work: Promise<Sample | null> | undefined
  #starting: Promise<void> | undefined

  constructor(
    chip: Chip<Sample>,
    deps: WatchedChipDeps,
    options: { readonly optional: boolean } = { optional: false },
  ) {
    this.#chip = chip
    this.#deps = deps
    this.#optional = options.optional
  }

  get name(): string {
    return this.#chip.name
  }

  get state(): ChipState {
    return this.#state
  }

  /** It was found at least once. */
  get seen(): boolean {
    return this.#seen
  }

  get health(): ChipHealth {
    const { name, registers } = this.#chip
    return {
      chip: name,
      address: registers.address === null ? null : hex(registers.address),
      state: this.#state,
      failures: this.#failures.times,
      restarts: Math.max(0, this.#starts - 1),
      problem: this.#optional && !this.#seen ? null : this.#problem,
    }
  }

  /** What a person can do about the problem. */
  get hint(): string | undefined {
    return this.#problem === null ? undefined : this.#hint
  }

  /** The newest sample; `null` when there is none. Never rejects. */
  poll(): Promise<Sample | null> {
    if (this.#work === undefined) {
      this.#work = this.#sample().finally(() => {
        this.#work = undefined
      })
    }
    return this.#work
  }

  /** Finds and starts the chip, now. Resolves when that has succeeded or failed. */
  begin(): Promise<void> {
    if (this.#starting === undefined) {
      this.#starting = this.#begin().finally(() => {
        this.#starting = undefined
      })
    }
    return this.#starting
  }

  async #begin(): Promise<void> {
    // A sample at work would read registers that are just being set.
    await this.#work
    this.#startAt = undefined
    this.#attempts++
    try {
      await this.#chip.find()
      this.#seen = true
      this.#state = 'starting'
      this.#starts++
      await this.#chip.start()
    } catch (error) {
      this.#failed(error, true)
      return
    }
    this.#state = 'ok'
    this.#strikes = 0
    this.#verifiedAt = this.#deps.clock.monotonic()
    this.#deps.log.debug({ chip: this.#chip.name, starts: this.#starts }, 'a chip was started')
  }

  async #sample(): Promise<Sample | null> {
    const now = this.#deps.clock.monotonic()
    if (this.#starting !== undefined) return null
    if (this.#startAt !== undefined) {
      // Beside the readings: a start takes longer than one of them.
      if (now >= this.#startAt) void this.begin()
      return null
    }
    if (this.#state !== 'ok' && this.#state !== 'failing') return null
    try {
      if (now - this.#verifiedAt >= VERIFY_EVERY_MS) {
        await this.#chip.verify()
        this.#verifiedAt = now
      }
      const sample = await this.#chip.sample()
      this.#worked()
      return sample
    } catch (error) {
      this.#failed(error, false)
      return null
    }
  }

  #worked(): void {
    if (this.#told)
      this.#deps.log.info({ chip: this.#chip.name, failures: this.#failures.times }, 'a chip answers again')
    this.#told = false
    this.#state = 'ok'
    this.#doubtedOrNot()
    this.#strikes = 0
    this.#attempts = 0
  }

  #doubtedOrNot(): void {
    const { name, doubt = null } = this.#chip
    this.#problem = doubt === null ? null : `the ${name} ${doubt}`
    this.#hint = undefined
    if (doubt !== null && !this.#doubted)
      this.#deps.log.warn({ chip: name, reason: this.#problem }, 'a chip measures what can hardly be')
    this.#doubted = doubt !== null
  }

  #failed(error: unknown, inStart: boolean): void {
    // The end of the program is no fault of the chip.
    if (this.#deps.signal.aborted) return
    this.#strikes++
    const gone = isGone(error)
    this.#state = gone ? 'absent' : 'failing'
    this.#problem = sentenceOf(this.#chip.name, error)
    this.#hint = hintOf(error)
    this.#failures.when((failures) => {
      if (this.#optional && !this.#seen) return
      this.#told = true
      const fields = { chip: this.#chip.name, state: this.#state, failures, reason: this.#problem, hint: this.#hint }
      this.#deps.log.warn(fields, 'a chip failed, its values are null')
    })
    if (inStart || gone || (error instanceof ChipFault && error.needsStart) || this.#strikes >= STRIKES)
      this.#restartLater()
    if (!inStart && error instanceof BusFault) this.#deps.onBusFault(error)
  }

  /** The first time at the next occasion: most chips that lost their settings take them again. */
  #restartLater(): void {
    const pause = this.#attempts === 0 ? 0 : backoffMs(this.#attempts - 1, RESTART, this.#deps.random)
    this.#startAt = this.#deps.clock.monotonic() + pause
  }
}

function isGone(error: unknown): boolean {
  return (
    (error instanceof BusFault && error.kind === 'no-answer') ||
    (error instanceof ChipFault && error.kind === 'strange')
  )
}

function sentenceOf(name: string, error: unknown): string {
  if (error instanceof ChipFault) return `the ${name} ${error.message}`
  return `the ${name}: ${messageOf(error)}`
}
