import { SnowhatError } from '../src/errors.ts'

/** In force, seconds; retained on `settings`. */
export interface CurrentIntervals {
  /** Between two readings. */
  readonly interval: number
  /** Between two messages on `state`; no state can be newer than its reading, so never less than `interval`. */
  readonly state_interval: number
}

/** Seconds; by settings as by command. Faster than that the sensors have nothing new. */
export const INTERVAL_RANGES = {
  interval: { min: 0.01, max: 86_400, step: 0.01 },
  state_interval: { min: 1, max: 86_400, step: 1 },
} as const satisfies Record<keyof CurrentIntervals, { min: number; max: number; step: number }>

/** How often this Pi measures and tells; Home Assistant may change it while it runs. */
export class Intervals {
  #now: CurrentIntervals

  constructor(atStart: CurrentIntervals) {
    this.#now = atStart
  }

  get current(): CurrentIntervals {
    return { interval: this.#now.interval, state_interval: this.stateMs / 1000 }
  }

  get readingMs(): number {
    return this.#now.interval * 1000
  }

  get stateMs(): number {
    return Math.max(this.#now.state_interval, this.#now.interval) * 1000
  }

  /** What was set, of which `current` shows what comes of it. */
  get set(): CurrentIntervals {
    return this.#now
  }

  /** A command's payload: a number of seconds. Throws `E_COMMAND_INVALID`, and nothing has changed. */
  change(which: keyof CurrentIntervals, payload: string): void {
    const { min, max } = INTERVAL_RANGES[which]
    const seconds = payload.trim() === '' ? Number.NaN : Number(payload)
    if (!(seconds >= min && seconds <= max))
      throw new SnowhatError('E_COMMAND_INVALID', `${which} must be a number of seconds from ${min} to ${max}`)
    this.#now = { ...this.#now, [which]: seconds }
  }
}
