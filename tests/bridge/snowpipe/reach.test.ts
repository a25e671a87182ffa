import { describe, expect, it } from 'vitest'
import { noAnswer, readAnswer } from '../../../bridge/snowpipe/answer.ts'
import type { Outcome, Snowpipe } from '../../../bridge/snowpipe/client.ts'
import { Reach } from '../../../bridge/snowpipe/reach.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { pipeNamed } from '../../support/pipes.ts'

const answered = (status: number): Outcome<never> => ({ verdict: 'retry', answer: readAnswer(status, {}, '') })
const ok: Outcome<never> = { verdict: 'ok', value: new Map() as never }
const lost: Outcome<never> = { verdict: 'retry', answer: noAnswer('ECONNREFUSED') }

function watched() {
  const clock = new ManualClock()
  const reach = new Reach(clock)
  let next: Outcome<never> = ok
  const never = () => Promise.resolve(next)
  const snowpipe = reach.watch({
    open: never,
    append: never,
    status: never,
    drop: never,
    close: async () => undefined,
  } as Snowpipe)
  const call = (outcome: Outcome<never>) => {
    next = outcome
    return snowpipe.status(pipeNamed('pipe'), [])
  }
  return { clock, reach, call }
}

describe('the way to Snowflake', () => {
  it('is not known before anything was asked, nor when nothing was asked for long', async () => {
    const { clock, reach, call } = watched()
    expect([reach.reachable, reach.answeredAt]).toEqual([null, null])
    await call(ok)
    expect([reach.reachable, reach.answeredAt]).toEqual([true, clock.now()])
    await clock.advance(9 * 60_000)
    expect(reach.reachable).toBe(true)
    await clock.advance(2 * 60_000)
    expect(reach.reachable).toBeNull()
  })

  it.each([400, 401, 403, 404, 429])('is there when Snowflake refuses with %i', async (status) => {
    const { reach, call } = watched()
    await call(answered(status))
    expect(reach.reachable).toBe(true)
  })

  it.each([
    ['no answer', lost],
    ['503', answered(503)],
  ])('is gone when calls over half a minute bring %s, and back with the first answer', async (_what, outcome) => {
    const { clock, reach, call } = watched()
    await call(ok)
    await call(outcome)
    await clock.advance(29_000)
    await call(outcome)
    expect(reach.reachable).toBe(true)
    await clock.advance(1_000)
    await call(outcome)
    expect(reach.reachable).toBe(false)
    await call(ok)
    expect(reach.reachable).toBe(true)
  })

  it('is not taken for gone because of one call, however long ago', async () => {
    const { clock, reach, call } = watched()
    await call(ok)
    await call(lost)
    await clock.advance(5 * 60_000)
    expect(reach.reachable).toBe(true)
  })

  it('that was gone is not known any more when nobody tries it', async () => {
    const { clock, reach, call } = watched()
    await call(lost)
    await clock.advance(40_000)
    await call(lost)
    expect(reach.reachable).toBe(false)
    await clock.advance(11 * 60_000)
    expect(reach.reachable).toBeNull()
  })
})
