import type { Clock } from '../../src/clock.ts'
import type { CostSettings } from '../config.ts'
import { type BudgetLevel, BudgetWatch, type MonthCost, type ToldBudget } from '../cost/budget.ts'
import { DeviceBytes, type DeviceBytesState } from '../cost/device-bytes.ts'
import { dayEnd, dayName, dayStart } from './local-day.ts'

/** What was counted on one day of the calendar, in the time zone of the process. */
export interface DayCounts {
  /** Readings that have gone missing, less those that came after all. */
  readonly missing: number
  /** Rows Snowflake could not convert. */
  readonly rejected: number
  /** Sent and taken, before compression. */
  readonly bytes: number
  /** What Snowflake counts of it, as far as that can be known (`billed-bytes.ts`). */
  readonly billed: number
  /** When counting began on that day, epoch milliseconds. */
  readonly from: number
}

/** A day and where it lies: `end` is not part of it. */
export interface Day extends DayCounts {
  readonly start: number
  readonly end: number
}

/** What outlives a restart. */
export interface TodayState {
  /** By name: `2026-11-22`. */
  readonly days: Readonly<Record<string, Omit<DayCounts, 'billed'> & { readonly billed?: number }>>
  /** Absent in what an earlier release has written. */
  readonly bytes?: DeviceBytesState
  /** What was told of the budget; absent when nothing was. */
  readonly toldBudget?: ToldBudget
  /** Readings missing per device as far as they were counted. */
  readonly missing: Readonly<Record<string, number>>
}

/** A device's readings that are missing by now; `undefined` while nobody knows. */
export interface MissingOf {
  readonly hostname: string
  readonly missing: number | undefined
}

/** More than a month, and the week before it. */
const KEPT_DAYS = 40

/**
 * Counts per day. A wall clock that jumps counts on in the day it jumps to, also back into one that was left. A number of
 * missing readings that falls makes today's smaller but never negative: readings came after all, or a spool was lost.
 */
export class Today {
  /** The bytes of each device. */
  readonly devices: DeviceBytes
  readonly #clock: Clock
  readonly #budget: BudgetWatch
  /** In the order of their last use. */
  readonly #days = new Map<string, { -readonly [K in keyof DayCounts]: DayCounts[K] }>()
  readonly #missing = new Map<string, { counted: number; looked: number }>()

  constructor(clock: Clock, state?: TodayState) {
    this.#clock = clock
    this.#budget = new BudgetWatch(clock, state?.toldBudget)
    // An earlier release took what was sent for what is counted.
    for (const [name, counts] of Object.entries(state?.days ?? {}))
      this.#days.set(name, { ...counts, billed: counts.billed ?? counts.bytes })
    this.devices = new DeviceBytes(clock, state?.bytes)
    for (const [hostname, counted] of Object.entries(state?.missing ?? {}))
      this.#missing.set(hostname, { counted, looked: counted })
  }

  /** A batch was taken. */
  sent(hostname: string, bytes: number, billed: number): void {
    const day = this.#today()
    day.bytes += bytes
    day.billed += billed
    this.devices.add(hostname, bytes, billed)
  }

  rejected(rows: number): void {
    this.#today().rejected += rows
  }

  /**
   * All devices there are: one that is not among them is forgotten. What a device misses when it is seen for the first time is of earlier days, or of an earlier
   * bridge. A reading counts as missing when two looks have not found it: readings overtake one another.
   */
  look(devices: Iterable<MissingOf>): void {
    const day = this.#today()
    const gone = new Set(this.#missing.keys())
    for (const { hostname, missing } of devices) {
      gone.delete(hostname)
      if (missing === undefined) continue
      const known = this.#missing.get(hostname)
      if (known === undefined) {
        this.#missing.set(hostname, { counted: missing, looked: missing })
        continue
      }
      const sure = Math.min(known.looked, missing)
      known.looked = missing
      if (sure > known.counted) {
        day.missing += sure - known.counted
        known.counted = sure
      } else if (missing < known.counted) {
        day.missing = Math.max(0, day.missing - (known.counted - missing))
        known.counted = missing
      }
    }
    for (const hostname of gone) this.#missing.delete(hostname)
  }

  get now(): Day {
    const now = this.#clock.now()
    return { ...this.#today(), start: dayStart(now), end: dayEnd(now) }
  }

  /** All days that are known, in no order. */
  get days(): Day[] {
    return [...this.#days.values()].map((counts) => ({
      ...counts,
      start: dayStart(counts.from),
      end: dayEnd(counts.from),
    }))
  }

  /** What this month costs, and how that stands to its budget. `worse` hears of a level that nobody was told of this month. */
  lookAtBudget(settings: CostSettings, worse?: (level: BudgetLevel, cost: MonthCost) => void): MonthCost {
    return this.#budget.look(this.days, settings, worse)
  }

  /** As it was found last. */
  get budgetLevel(): BudgetLevel | undefined {
    return this.#budget.level
  }

  toJSON(): TodayState {
    const { told } = this.#budget
    return {
      ...(told !== undefined && { toldBudget: told }),
      days: Object.fromEntries(this.#days),
      bytes: this.devices.toJSON(),
      missing: Object.fromEntries([...this.#missing].map(([hostname, { counted }]) => [hostname, counted])),
    }
  }

  #today() {
    const now = this.#clock.now()
    const name = dayName(now)
    const day = this.#days.get(name) ?? { missing: 0, rejected: 0, bytes: 0, billed: 0, from: now }
    this.#days.delete(name)
    this.#days.set(name, day)
    for (const oldest of this.#days.keys()) {
      if (this.#days.size <= KEPT_DAYS) break
      this.#days.delete(oldest)
    }
    return day
  }
}
