import { expect, it } from 'vitest'
import { Rate } from '../../../bridge/status/rate.ts'
import { ManualClock } from '../../support/manual-clock.ts'

it('is what the last minute brought per second, and 0 after a minute of nothing', async () => {
  const clock = new ManualClock()
  const rate = new Rate(clock)
  expect(rate.perSecond()).toBe(0)
  for (let second = 0; second < 300; second++) {
    rate.add(10)
    await clock.advance(1_000)
  }
  expect(rate.perSecond()).toBeCloseTo(10, 0)
  await clock.advance(30_000)
  expect(rate.perSecond()).toBeGreaterThan(3)
  await clock.advance(60_000)
  expect(rate.perSecond()).toBe(0)
  expect(rate.total).toBe(3_000)
})

it('is over the time there was, while that is less than a minute', async () => {
  const clock = new ManualClock()
  await clock.advance(1_234_567)
  const rate = new Rate(clock)
  rate.add(100)
  await clock.advance(10_000)
  expect(rate.perSecond()).toBe(10)
})
