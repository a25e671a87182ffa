import { expect, it } from 'vitest'
import { startSampler } from '../../publisher/sampler.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'

function sample(tick: (clock: ManualClock, at: number) => Promise<void> | void = () => undefined, limit = 0) {
  const clock = new ManualClock()
  const ticks: number[] = []
  const interval = { ms: 1_000 }
  const sampler = startSampler(
    { intervalMs: () => interval.ms, limit },
    async () => {
      ticks.push(clock.monotonic())
      await tick(clock, ticks.length)
    },
    { clock, log: silentLog() },
  )
  return { clock, ticks, sampler, interval }
}

it('the first reading is taken at once and then one each interval', async () => {
  const { clock, ticks, sampler } = sample()
  await clock.advance(3_500)
  expect(ticks).toEqual([0, 1_000, 2_000, 3_000])
  expect(sampler.missed).toBe(0)
  await sampler.stop()
})

it('a late reading does not shift the later ones', async () => {
  const { clock, ticks, sampler } = sample((clock, at) => (at === 2 ? clock.stall(700) : undefined))
  await clock.advance(4_000)
  expect(ticks).toEqual([0, 1_000, 2_000, 3_000, 4_000])
  await sampler.stop()
})

it('time that was slept through is skipped and counted, not made up for in a bunch', async () => {
  const { clock, ticks, sampler } = sample((clock, at) => (at === 2 ? clock.stall(3_300) : undefined))
  await clock.advance(7_000)
  expect(ticks).toEqual([0, 1_000, 5_000, 6_000, 7_000])
  expect(sampler.missed).toBe(3)
  await sampler.stop()
})

it('a wall clock that jumps changes nothing', async () => {
  const { clock, ticks, sampler } = sample((clock, at) => (at === 2 ? clock.setWall(0) : undefined))
  await clock.advance(3_000)
  expect(ticks).toEqual([0, 1_000, 2_000, 3_000])
  await sampler.stop()
})

it('a tick that fails does not end the sampling', async () => {
  const { clock, ticks, sampler } = sample(() => Promise.reject(new Error('broken')))
  await clock.advance(2_000)
  expect(ticks).toHaveLength(3)
  await sampler.stop()
})

it('after a stop no reading is taken, and finished tells only of the limit', async () => {
  const stopped = sample()
  await stopped.clock.advance(1_000)
  await stopped.sampler.stop()
  await stopped.clock.advance(5_000)
  expect(stopped.ticks).toHaveLength(2)

  const limited = sample(undefined, 3)
  let finished = false
  void limited.sampler.finished.then(() => {
    finished = true
  })
  await limited.clock.advance(1_500)
  expect(finished).toBe(false)
  await limited.clock.advance(5_000)
  expect(finished).toBe(true)
  expect(limited.ticks).toHaveLength(3)
})

it('another interval holds from the last reading on, whatever was waited for', async () => {
  const { clock, ticks, sampler, interval } = sample()
  await clock.advance(1_500)
  interval.ms = 200
  sampler.retime()
  await clock.advance(500)
  expect(ticks).toEqual([0, 1_000, 1_500, 1_600, 1_800, 2_000])
  interval.ms = 5_000
  sampler.retime()
  await clock.advance(10_000)
  expect(ticks.slice(6)).toEqual([7_000, 12_000])
  await sampler.stop()
})

it('a reading that does not come to an end is told by how long it has taken, and a wait for the next one is none', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { clock, sampler } = sample((_clock, at) => (at === 2 ? held : undefined))
  await clock.advance(900)
  expect(sampler.pendingMs).toBe(0)
  await clock.advance(40_100)
  expect(sampler.pendingMs).toBe(40_000)
  release()
  await clock.advance(0)
  expect(sampler.pendingMs).toBe(0)
  await sampler.stop()
})

it('readings that fail one after the other are no progress, until one succeeds', async () => {
  const { clock, sampler } = sample((_clock, at) => (at < 30 ? Promise.reject(new Error('broken')) : undefined))
  await clock.advance(28_500)
  expect(sampler.pendingMs).toBe(28_000)
  await clock.advance(1_000)
  expect(sampler.pendingMs).toBe(0)
  await sampler.stop()
})

it('one reading that fails is no standstill, however long the wait for the next one', async () => {
  const { clock, interval, sampler } = sample((_clock, at) =>
    at === 2 ? Promise.reject(new Error('once')) : undefined,
  )
  await clock.advance(500)
  interval.ms = 3_600_000
  await clock.advance(3_000_000)
  expect(sampler.pendingMs).toBe(0)
  await sampler.stop()
})
