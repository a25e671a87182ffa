import type { CostSettings } from '../config.ts'
import { dayStart, monthStart } from '../status/local-day.ts'
import type { Day } from '../status/today.ts'

/** Snowflake bills gigabytes of 10^9 bytes [assumed]. */
const GIGABYTE = 1e9
/** What is projected is what these days and today have brought. */
const DAYS = 7
/** Less than that tells nothing. */
const LEAST_MS = 3_600_000
const MILLIONTHS = 1e6

/** Whether the settings say what anything costs. */
export function isPriced({ credits_per_gb, price_per_credit }: CostSettings): boolean {
  return credits_per_gb > 0 && price_per_credit > 0
}

/**
 * What so many bytes cost, in the settings' currency: those Snowflake counts (`billed-bytes.ts`). Streaming costs a flat rate
 * per gigabyte before compression [documented]; the rate is the Service Consumption Table's.
 */
export function costOf(bytes: number, { credits_per_gb, price_per_credit }: CostSettings): number {
  return Math.round((bytes / GIGABYTE) * credits_per_gb * price_per_credit * MILLIONTHS) / MILLIONTHS
}

/**
 * Bytes of the whole month `now` lies in: those of its days so far, and for what is left of it the rate of today and the
 * seven days before, which is their bytes over the time in which they were counted. `undefined` before there is an hour of
 * that. Days before the bridge began to count have no bytes.
 */
export function monthBytes(days: readonly Day[], now: number): number | undefined {
  const past = days.filter(({ start }) => start <= now)
  const first = dayStart(now, -DAYS)
  const recent = past.filter(({ start }) => start >= first)
  const counted = sum(recent.map(({ from, end }) => Math.max(0, Math.min(now, end) - from)))
  if (counted < LEAST_MS) return undefined
  const rate = sum(recent.map(({ billed }) => billed)) / counted
  return monthBytesSoFar(days, now) + rate * (monthStart(now, 1) - now)
}

/** Bytes since the first of the month `now` lies in. */
export function monthBytesSoFar(days: readonly Day[], now: number): number {
  const month = monthStart(now)
  return sum(days.filter(({ start }) => start >= month && start <= now).map(({ billed }) => billed))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}
