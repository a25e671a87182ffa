import type { Clock } from '../../src/clock.ts'
import { STEP_MS, STEPS } from './ring.ts'

/** What a phone's owner does, as the last windows say. */
export interface LastActivity {
  readonly activity: string
  /** 0 to 1; `null`: not told. */
  readonly confidence: number | null
  /** End of the window, epoch milliseconds. */
  readonly at: number
}

/** The activity of each step of an hour: the last that ended in it; `null` where there was none. */
export interface ActivityStrip {
  /** Epoch milliseconds of the first step. */
  readonly from: number
  readonly step_ms: number
  readonly activity: readonly (string | null)[]
}

interface Remembered {
  last: LastActivity
  /** Step number to activity; no more than an hour of them. */
  readonly steps: Map<number, string>
}

/** The last hour of every phone, from the rows that pass. In memory only. */
export class ActivityHistory {
  readonly #clock: Clock
  readonly #phones = new Map<string, Remembered>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A new row of a phone's activity is in the spool. */
  passed(key: string, row: Buffer): void {
    const { activity, confidence, window_end } = JSON.parse(row.toString('utf8')) as Record<string, unknown>
    const at = typeof window_end === 'string' ? Date.parse(window_end) : Number.NaN
    if (typeof activity !== 'string' || Number.isNaN(at)) return
    const known = this.#phones.get(key)
    const last = { activity, confidence: typeof confidence === 'number' ? confidence : null, at }
    const phone = known ?? { last, steps: new Map<number, string>() }
    // What waited somewhere comes later than what is measured now, and is older.
    if (at >= phone.last.at) phone.last = last
    const step = Math.floor(at / STEP_MS)
    phone.steps.set(step, activity)
    const newestStep = Math.floor(phone.last.at / STEP_MS)
    for (const old of phone.steps.keys()) if (old <= newestStep - STEPS) phone.steps.delete(old)
    this.#phones.set(key, phone)
  }

  last(key: string): LastActivity | undefined {
    return this.#phones.get(key)?.last
  }

  strip(key: string): ActivityStrip | undefined {
    const phone = this.#phones.get(key)
    if (phone === undefined) return undefined
    const first = Math.floor(this.#clock.now() / STEP_MS) - STEPS + 1
    return {
      from: first * STEP_MS,
      step_ms: STEP_MS,
      activity: Array.from({ length: STEPS }, (_, i) => phone.steps.get(first + i) ?? null),
    }
  }

  forget(key: string): void {
    this.#phones.delete(key)
  }
}
