import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayName, dayStart } from '../../../bridge/status/local-day.ts'
import { Today, type TodayState } from '../../../bridge/status/today.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const HOUR = 3_600_000
const NOON = dayStart(Date.UTC(2026, 10, 22, 12)) + 12 * HOUR

/** Two looks: so long it takes until a reading counts as missing. */
function lookTwice(today: Today, missing: number, hostname = 'pi'): void {
  for (let i = 0; i < 2; i++) today.look([{ hostname, missing }])
}

describe('the counts of a day', () => {
  it('begin anew at midnight, and the day before is still known', () => {
    const clock = new ManualClock(NOON)
    const today = new Today(clock)
    lookTwice(today, 0)
    lookTwice(today, 3)
    today.sent('pi', 1_000, 1_000)
    today.rejected(2)
    expect(today.now).toMatchObject({ missing: 3, rejected: 2, bytes: 1_000, start: dayStart(NOON) })
    clock.setWall(NOON + 12 * HOUR - 1)
    expect(today.now.missing).toBe(3)
    clock.setWall(NOON + 12 * HOUR)
    expect(today.now).toMatchObject({ missing: 0, rejected: 0, bytes: 0, start: dayStart(NOON + 24 * HOUR) })
    expect(today.days).toContainEqual(expect.objectContaining({ start: dayStart(NOON), bytes: 1_000 }))
  })

  it('do not count what a device missed before it was seen', () => {
    const today = new Today(new ManualClock(NOON))
    lookTwice(today, 50)
    expect(today.now.missing).toBe(0)
    lookTwice(today, 52)
    expect(today.now.missing).toBe(2)
  })

  it('do not count readings that overtake one another', () => {
    const today = new Today(new ManualClock(NOON))
    for (const missing of [0, 4, 0, 7, 1, 0]) today.look([{ hostname: 'pi', missing }])
    expect(today.now.missing).toBe(0)
  })

  it('fall when readings come after all, but those of yesterday cannot make them negative', () => {
    const clock = new ManualClock(NOON)
    const today = new Today(clock)
    lookTwice(today, 0)
    lookTwice(today, 5)
    clock.setWall(NOON + 24 * HOUR)
    lookTwice(today, 0)
    expect(today.now.missing).toBe(0)
    lookTwice(today, 2)
    lookTwice(today, 1)
    expect(today.now.missing).toBe(1)
  })

  it('stay as they are when a device is forgotten, and one that comes back begins as it is', () => {
    const today = new Today(new ManualClock(NOON))
    lookTwice(today, 0)
    lookTwice(today, 4)
    today.look([])
    lookTwice(today, 9)
    expect(today.now.missing).toBe(4)
  })

  it('go on in the day a wall clock jumps back into', () => {
    const clock = new ManualClock(NOON)
    const today = new Today(clock)
    today.sent('pi', 10, 10)
    clock.setWall(NOON + 30 * 24 * HOUR)
    today.sent('pi', 1, 1)
    clock.setWall(NOON + HOUR)
    today.sent('pi', 5, 5)
    expect(today.now.bytes).toBe(15)
  })

  it('are kept for more than a month and not for ever', () => {
    const clock = new ManualClock(NOON)
    const today = new Today(clock)
    for (let day = 0; day < 400; day++) {
      clock.setWall(NOON + day * 24 * HOUR)
      today.sent('pi', 1, 1)
    }
    expect(today.days.length).toBe(40)
    expect(Math.min(...today.days.map(({ start }) => start))).toBe(dayStart(NOON, 360))
  })

  it('are what a plain count per day gives, across midnights, restarts and jumps of the clock', () => {
    const step = fc.oneof(
      fc.record({ act: fc.constantFrom('send', 'reject', 'lose', 'find'), n: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ act: fc.constant('wait'), n: fc.integer({ min: 1, max: 30 * HOUR }) }),
      fc.record({ act: fc.constant('jump'), n: fc.integer({ min: -30 * HOUR, max: 30 * HOUR }) }),
      fc.record({ act: fc.constantFrom('restart', 'lose the spool'), n: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new ManualClock(NOON)
        let today = new Today(clock)
        lookTwice(today, 0)
        let missing = 0
        const model = new Map<string, { missing: number; rejected: number; bytes: number }>()
        const day = () => {
          const name = dayName(clock.now())
          const counts = model.get(name) ?? { missing: 0, rejected: 0, bytes: 0 }
          model.set(name, counts)
          return counts
        }
        for (const { act, n } of steps) {
          if (act === 'send') {
            today.sent('pi', n, n)
            day().bytes += n
          } else if (act === 'reject') {
            today.rejected(n)
            day().rejected += n
          } else if (act === 'lose') {
            missing += n
            day().missing += n
          } else if (act === 'find' || act === 'lose the spool') {
            const found = act === 'find' ? Math.min(n, missing) : missing
            missing -= found
            day().missing = Math.max(0, day().missing - found)
          } else if (act === 'wait') clock.stall(n)
          else if (act === 'jump') clock.setWall(clock.now() + n)
          else today = new Today(clock, JSON.parse(JSON.stringify(today)) as TodayState)
          lookTwice(today, missing)
          expect(today.now).toMatchObject(day())
        }
      }),
    )
  })
})
