import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALERT_CODES, type AlertCode, Alerts } from '../../../bridge/status/alerts.ts'
import { Today } from '../../../bridge/status/today.ts'
import { LaneWorld } from '../../support/lane-world.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { statusOf } from '../../support/status.ts'

function watched() {
  const clock = new ManualClock()
  const found = new Set<AlertCode>()
  const alerts = new Alerts(() => [...found].map((code) => ({ code, message: code })), clock)
  return { clock, found, codes: () => alerts.look().map(({ code }) => code), alerts }
}

describe('an alert', () => {
  it('stands at once, and until what it tells of has been gone for a minute', async () => {
    const { clock, found, codes } = watched()
    found.add('held')
    expect(codes()).toEqual(['held'])
    found.clear()
    await clock.advance(59_000)
    expect(codes()).toEqual(['held'])
    await clock.advance(1_000)
    expect(codes()).toEqual([])
  })

  it('is one alert while it comes and goes, and remembers when it began', async () => {
    const { clock, found, alerts } = watched()
    const began = clock.now()
    for (let i = 0; i < 20; i++) {
      if (i % 2 === 0) found.add('blocked')
      else found.delete('blocked')
      expect(alerts.look()).toMatchObject([{ code: 'blocked', since: began }])
      await clock.advance(30_000)
    }
  })

  it('changes at most once a minute in each direction, whatever is found when', async () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 90 })), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { clock, found, codes } = watched()
        let stood = false
        let lastFound = Number.NEGATIVE_INFINITY
        for (const [is, seconds] of all) {
          if (is) found.add('held')
          else found.clear()
          if (is) lastFound = clock.monotonic()
          const stands = codes().length > 0
          expect(stands).toBe(is || (stood && clock.monotonic() - lastFound < 60_000))
          stood = stands
          await clock.advance(seconds * 1_000)
          if (is) lastFound = clock.monotonic()
          codes()
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('what is found', () => {
  async function bridge(over: Parameters<typeof statusOf>[1] = {}) {
    const world = new LaneWorld()
    const status = statusOf(world, over)
    const codes = () => status.glance().alerts.map(({ code }) => code)
    const close = async () => {
      const closing = world.close()
      await world.clock.advance(60_000)
      await closing
    }
    return { world, status, codes, close }
  }

  it('is nothing in a bridge that is well', async () => {
    const { status, codes, close } = await bridge()
    expect(codes()).toEqual([])
    const { alerts, problem, problem_reasons, problem_since } = status.health()
    expect({ problem, problem_reasons, problem_since }).toEqual({
      problem: false,
      problem_reasons: [],
      problem_since: null,
    })
    expect(Object.keys(alerts)).toEqual([...ALERT_CODES])
    await close()
  })

  it('names the devices, and stays in health for a minute after /healthz is green again', async () => {
    const { world, status, codes, close } = await bridge()
    world.snowpipe.openFaults.push({ status: 401 })
    world.take(1, 3)
    await world.run(2_000)
    expect(status.health()).toMatchObject({
      healthy: false,
      problem: true,
      alerts: { blocked: true, held: false },
      problem_reasons: [expect.stringContaining('(pi)')],
    })
    for (let s = 0; s < 80 && !status.health().healthy; s++) await world.run(1_000, 1_000)
    expect(status.health()).toMatchObject({ healthy: true, problem: true, alerts: { blocked: true } })
    await world.run(61_000, 1_000)
    expect(codes()).toEqual([])
    await close()
  })

  it('is a pipeline behind from five minutes on, and over when rows wait half as long', async () => {
    const { world, codes, close } = await bridge()
    world.snowpipe.openFaults.push(...Array<'lose request'>(99).fill('lose request'))
    world.take(1, 3)
    await world.run(295_000, 5_000)
    expect(codes()).toEqual([])
    await world.run(10_000, 5_000)
    expect(codes()).toEqual(['behind'])
    world.snowpipe.openFaults.length = 0
    await world.run(60_000, 1_000)
    expect(world.inTable()).toEqual([1, 2, 3])
    codes()
    await world.run(61_000, 1_000)
    expect(codes()).toEqual([])
    await close()
  })

  it('is missing readings and rejected rows of today, until midnight', async () => {
    const clock = new ManualClock()
    const today = new Today(clock)
    const { codes, close } = await bridge({ clock, today })
    today.rejected(1)
    for (const missing of [0, 2, 2]) today.look([{ hostname: 'pi', missing }])
    expect(codes()).toEqual(['missing', 'rejected'])
    await clock.advance(24 * 3_600_000)
    expect(codes()).toEqual([])
    await close()
  })

  it('is a credential that ends within two weeks, or has ended', async () => {
    const clock = new ManualClock()
    const { status, codes, close } = await bridge({
      clock,
      identity: { expiresAt: clock.now() + 15 * 86_400_000, clockSkewMs: 0 },
    })
    expect(codes()).toEqual([])
    expect(status.health().credential_expires_at).toBe('2026-12-07T12:00:00.000Z')
    await clock.advance(1.1 * 86_400_000)
    expect(codes()).toEqual(['credential_expires'])
    expect(status.health().problem_reasons[0]).toContain('2026-12-07')
    await clock.advance(30 * 86_400_000)
    expect(codes()).toEqual(['credential_expires'])
    await close()
  })

  it('is not that the broker was away: that is its availability', async () => {
    const { status, codes, close } = await bridge({ brokerAway: () => 3_600_000 })
    expect(status.health().healthy).toBe(false)
    expect(codes()).toEqual([])
    await close()
  })
})
