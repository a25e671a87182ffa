import { describe, expect, it } from 'vitest'
import { Trouble } from '../../../bridge/lanes/trouble.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

function setUp() {
  const clock = new ManualClock()
  const trouble = new Trouble(silentLog(), clock)
  const stop = new AbortController()
  const rest = { over: false }
  void trouble.rest(30_000, clock, stop.signal).then(() => {
    rest.over = true
  })
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) trouble.unavailable(`pi-${i}`, 'no_answer', 'refused')
  }
  return { clock, trouble, stop, rest, fail }
}

describe('a device that waits for Snowflake', () => {
  it('goes on as soon as anybody is served after an outage', async () => {
    const { trouble, rest, fail } = setUp()
    fail(30)
    await settled()
    expect(rest.over).toBe(false)
    trouble.over('pi-1')
    await settled()
    expect(rest.over).toBe(true)
  })

  it('waits its time when others are served in between, for then it is no outage', async () => {
    const { clock, trouble, rest, fail } = setUp()
    for (let i = 0; i < 30; i++) {
      fail(3)
      trouble.over('pi-1')
    }
    await clock.advance(29_000)
    expect(rest.over).toBe(false)
    await clock.advance(1_001)
    expect(rest.over).toBe(true)
  })

  it('goes on at once when it is told to end', async () => {
    const { stop, rest } = setUp()
    stop.abort()
    await settled()
    expect(rest.over).toBe(true)
  })
})

it('in an outage a fleet asks no more often than a few devices would, and goes on together when it is over', async () => {
  const clock = new ManualClock()
  const trouble = new Trouble(silentLog(), clock)
  const { signal } = new AbortController()
  const fleet = { asked: 0, served: false, done: 0 }
  const device = async (name: string) => {
    while (!fleet.served) {
      fleet.asked++
      trouble.unavailable(name, 'no_answer', 'refused')
      await trouble.rest(1_000, clock, signal)
    }
    fleet.done++
  }
  const devices = Array.from({ length: 200 }, (_, index) => device(`pi-${index}`))
  await clock.advance(20_000)
  fleet.asked = 0
  await clock.advance(20_000)
  expect(fleet.asked).toBeGreaterThan(100)
  expect(fleet.asked).toBeLessThan(300)
  fleet.served = true
  trouble.over('pi-1')
  await Promise.all(devices)
  expect(fleet.done).toBe(200)
  expect(clock.sleeping).toBe(0)
})
