import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FULL_DEVICES, History } from '../../../bridge/fleet/history.ts'
import { Ring, STEP_MS, STEPS } from '../../../bridge/fleet/ring.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { reading } from '../../support/readings.ts'

function world() {
  const clock = new ManualClock()
  const history = new History(clock)
  let seq = 0
  const measure = (over: Record<string, unknown> = {}, hostname = 'pi') =>
    history.passed(hostname, Buffer.from(JSON.stringify(reading(++seq, { ts: clock.now() / 1000, ...over }))))
  const temperatures = () => (history.points('pi', 'temperature') ?? []).filter((point) => point !== null)
  return { clock, history, measure, temperatures }
}

describe('the history of a device', () => {
  it('keeps one point per half minute for an hour, and then lets go of it', async () => {
    const { clock, measure, history, temperatures } = world()
    for (let i = 0; i < 150; i++) {
      measure({ temperature: i })
      await clock.advance(STEP_MS)
    }
    const points = history.points('pi', 'temperature') ?? []
    expect(points).toHaveLength(STEPS)
    expect(points.slice(-3)).toEqual([148, 149, null])
    expect(temperatures()[0]).toBe(31)
    await clock.advance(3_600_000)
    expect(temperatures()).toEqual([])
  })

  it('looks at few of the readings: one in ten seconds, one in a second while somebody watches', async () => {
    const { clock, measure, history } = world()
    const seen: unknown[] = []
    const second = async (temperature: number) => {
      measure({ temperature })
      seen.push(history.last('pi')?.temperature)
      await clock.advance(1_000)
    }
    for (let i = 1; i <= 11; i++) await second(i)
    history.watched = true
    for (let i = 12; i <= 14; i++) await second(i)
    expect(seen).toEqual([...Array(10).fill(1), 11, 12, 13, 14])
  })

  it('prefers what the device has compensated, and says so', () => {
    const { history, measure, temperatures } = world()
    measure({ temperature: 33, temperature_compensated: 21.25, humidity: 20, humidity_compensated: 40 })
    expect(temperatures()).toEqual([21.25])
    expect(history.last('pi')).toMatchObject({ temperature: 21.25, compensated: true })
    expect(history.points('pi', 'humidity')?.at(-1)).toBe(40)
    expect(history.values('pi')).toMatchObject({ temperature: 33, temperature_compensated: 21.25, pressure: null })
  })

  it('puts a reading that was held back where it was measured, and shows the newest as the last', async () => {
    const { clock, history, measure } = world()
    measure({ temperature: 20 })
    await clock.advance(20_000)
    measure({ temperature: 5, ts: clock.now() / 1000 - 1_800 })
    expect(history.last('pi')?.temperature).toBe(20)
    const points = history.points('pi', 'temperature') ?? []
    expect(points.at(-1)).toBe(20)
    expect(points.indexOf(5)).toBe(STEPS - 1 - 60)
  })

  it.each([
    ['a clock that is not set', { clock: 'unsynced', ts: 1_000_000 }],
    ['a clock that is ahead', { ts: 4_000_000_000 }],
    ['no time at all', { ts: null }],
  ])('takes the time of arrival for %s', (_what, over) => {
    const { history, measure, clock } = world()
    measure({ temperature: 7, ...over })
    expect(history.last('pi')?.measuredAt).toBe(clock.now())
    expect(history.points('pi', 'temperature')?.at(-1)).toBe(7)
  })

  it('keeps temperatures alone of the devices beyond two thousand, and nothing of one that is forgotten', () => {
    const { history, measure } = world()
    for (let i = 0; i < FULL_DEVICES; i++) measure({}, `pi-${i}`)
    measure({ pressure: 1000 }, 'late')
    expect(history.points('late', 'temperature')?.at(-1)).toBe(21.5)
    expect(history.points('late', 'pressure')).toBeUndefined()
    history.forget('late')
    expect(history.seenAt('late')).toBeNull()
  })
})

describe('a ring', () => {
  it('shows of each step of the hour what was put there last, whatever the order', () => {
    const put = fc.record({ step: fc.integer({ min: 1_000, max: 1_400 }), value: fc.integer({ min: 0, max: 99 }) })
    fc.assert(
      fc.property(fc.array(put, { maxLength: 60 }), fc.integer({ min: 1_200, max: 1_500 }), (puts, now) => {
        const ring = new Ring(1)
        const model = new Map<number, number>()
        let newest = 0
        for (const { step, value } of puts) {
          ring.put(step, () => value)
          if (step > newest - STEPS) model.set(step, value)
          newest = Math.max(newest, step)
        }
        const expected = Array.from({ length: STEPS }, (_, i) => {
          const step = now - STEPS + 1 + i
          return step > newest - STEPS ? (model.get(step) ?? null) : null
        })
        expect(ring.points('temperature', now)).toEqual(expected)
      }),
    )
  })
})
