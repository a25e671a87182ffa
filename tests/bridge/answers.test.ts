import { expect, it } from 'vitest'
import { answersOf } from '../../bridge/answers.ts'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import { FakeFleet } from '../support/fake-fleet.ts'
import { ManualClock } from '../support/manual-clock.ts'

it('a flush is not over while rows are on the disk and not in memory, as they are behind a long outage', async () => {
  const clock = new ManualClock()
  const spool = new MemorySpool(1_000_000)
  const device = spool.device('pi')
  const rows = [1, 2, 3].map((seq) => ({
    stream: 'aaaaaaaa',
    seq,
    json: Buffer.from('{}'),
    receivedAt: clock.now(),
    arrived: clock.monotonic(),
  }))
  device.accept(device.plan('own1', rows), false)
  expect(device.rows).toHaveLength(0)
  const answers = answersOf({
    clock,
    spool,
    lanes: { flush: () => undefined },
    ledgers: { flush: async () => undefined },
    status: new FakeFleet(0, clock).source,
    info: () => ({ instance: 'own1', version: '0.1.0', host: 'nas', started_at: '2026-11-22T12:00:00.000Z' }),
    stopping: () => false,
  })
  const answer = answers.flush()
  await clock.advance(15_000)
  expect(await answer).toEqual({ flushed: false, rows_waiting: 3 })
})
