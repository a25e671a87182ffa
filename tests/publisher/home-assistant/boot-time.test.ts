import { expect, it } from 'vitest'
import { BootTime } from '../../../publisher/home-assistant/info.ts'
import { ManualClock } from '../../support/manual-clock.ts'

it('is told when the clock is set, by that clock, and stays the same', async () => {
  const clock = new ManualClock(0)
  const boot = new BootTime(30, clock)
  expect([boot.isTold, boot.at(false)]).toEqual([true, null])
  await clock.advance(90_000)
  clock.setWall(Date.UTC(2026, 10, 22, 12, 2))
  expect(boot.at(true)).toBe('2026-11-22T12:00:00.000Z')
  clock.setWall(Date.UTC(2026, 10, 22, 15))
  expect(boot.at(true)).toBe('2026-11-22T12:00:00.000Z')
})

it('is never told by a machine that does not say how long it is up', () => {
  const boot = new BootTime(null, new ManualClock())
  expect([boot.isTold, boot.at(true)]).toEqual([false, null])
})
