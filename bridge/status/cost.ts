import type { CostSettings } from '../config.ts'
import { dayStart, monthStart } from './local-day.ts'
import type { Day } from './today.ts'

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
 * What sending so many bytes costs, in the settings' currency. Streaming costs a flat rate per gigabyte before compression
 * [documented]; the rate is the Service Consumption Table's. Of a row Snowflake counts the values and not the keys
 * [documented], so the bill is lower.
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
  const month = monthStart(now)
  const soFar = sum(past.filter(({ start }) => start >= month).map(({ bytes }) => bytes))
  const rate = sum(recent.map(({ bytes }) => bytes)) / counted
  return soFar + rate * (monthStart(now, 1) - now)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}
