import { describe, expect, it } from 'vitest'
import { Trouble } from '../../../bridge/lanes/trouble.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

function setUp() {
  const clock = new ManualClock()
  const trouble = new Trouble(silentLog())
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
