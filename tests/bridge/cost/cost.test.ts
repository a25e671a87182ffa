import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOf, isPriced, monthBytes } from '../../../bridge/cost/cost.ts'
import { dayEnd, dayStart, monthStart } from '../../../bridge/status/local-day.ts'
import type { Day } from '../../../bridge/status/today.ts'
import { defaultSettings } from '../../support/bridge-settings.ts'

const HOUR = 3_600_000
/** Local time. */
const at = (month: number, day: number, hour = 0) => new Date(2026, month - 1, day, hour).getTime()

function day(start: number, bytes: number, from = start): Day {
  return { missing: 0, rejected: 0, bytes: 2 * bytes, billed: bytes, from, start: dayStart(start), end: dayEnd(start) }
}

describe('what sending costs', () => {
  it('is bytes in gigabytes, times credits, times price', () => {
    expect(costOf(10e9, { ...defaultSettings.cost, credits_per_gb: 0.0037, price_per_credit: 3 })).toBe(0.111)
    expect(costOf(0, defaultSettings.cost)).toBe(0)
  })

  it('is nothing anybody knows without a price', () => {
    expect(isPriced(defaultSettings.cost)).toBe(true)
    expect(isPriced({ ...defaultSettings.cost, price_per_credit: 0 })).toBe(false)
    expect(isPriced({ ...defaultSettings.cost, credits_per_gb: 0 })).toBe(false)
  })
})

describe('the bytes of a month', () => {
  it('are not guessed from less than an hour', () => {
    const first = day(at(4, 10), 5_000, at(4, 10, 15))
    expect(monthBytes([first], at(4, 10, 15) + HOUR - 1)).toBeUndefined()
    expect(monthBytes([first], at(4, 10, 15) + HOUR)).toBeGreaterThan(5_000)
    expect(monthBytes([], at(4, 10))).toBeUndefined()
  })

  it('of a first day go on at its rate to the end of the month', () => {
    const now = at(4, 10, 18)
    // 3 hours counted, 20 days and 6 hours are left.
    expect(monthBytes([day(at(4, 10), 3_000, at(4, 10, 15))], now)).toBeCloseTo(3_000 + 1_000 * (20 * 24 + 6), 6)
  })

  it('are those of the days so far, and the rate of the last week for the rest', () => {
    const days = Array.from({ length: 20 }, (_, i) => day(at(4, i + 1), i < 12 ? 24 * 9_000 : 24 * 1_000))
    const today = day(at(4, 21), 12 * 1_000)
    const soFar = 12 * 24 * 9_000 + 8 * 24 * 1_000 + 12 * 1_000
    expect(monthBytes([...days, today], at(4, 21, 12))).toBeCloseTo(soFar + 1_000 * (9 * 24 + 12), 3)
  })

  it('take the rate from before the month, and the bytes not', () => {
    const days = [day(at(3, 30), 2_400), day(at(3, 31), 2_400), day(at(4, 1), 0)]
    expect(monthBytes(days, at(4, 1))).toBeCloseTo(100 * 30 * 24, 0)
  })

  it('do not count days to come, which a clock that was wrong has left', () => {
    const days = [day(at(4, 10), 2_400), day(at(8, 1), 1e12)]
    expect(monthBytes(days, at(4, 11))).toBeCloseTo(2_400 + 100 * 20 * 24, 3)
  })

  it('are never less than what was sent, and at the end of the month just that', () => {
    const days = fc.array(fc.tuple(fc.nat(59), fc.nat(1e9), fc.nat(24 * HOUR)), { maxLength: 60 })
    fc.assert(
      fc.property(days, fc.nat(30 * 24 * HOUR), (some, into) => {
        const all = new Map(
          some.map(([n, bytes, from]) => [n, day(dayStart(at(3, 1), n), bytes, dayStart(at(3, 1), n) + from)]),
        )
        const now = at(4, 1) + into
        const sent = [...all.values()].filter(({ start }) => start >= at(4, 1) && start <= now)
        const total = sent.reduce((sum, { billed }) => sum + billed, 0)
        const month = monthBytes([...all.values()], now)
        if (month === undefined) return
        expect(month).toBeGreaterThanOrEqual(total)
        expect(Number.isFinite(month)).toBe(true)
        const last = monthStart(now, 1) - 1
        const inMonth = [...all.values()].filter(({ start }) => start >= at(4, 1) && start <= last)
        const atEnd = monthBytes(inMonth, last)
        if (atEnd !== undefined)
          expect(atEnd).toBeCloseTo(
            inMonth.reduce((sum, { billed }) => sum + billed, 0),
            -5,
          )
      }),
    )
  })
})
