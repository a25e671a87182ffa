import { expect, it } from 'vitest'
import type { BridgeEventMap } from '../../../bridge/events.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { Progress } from '../../../bridge/status/progress.ts'
import { Events } from '../../../src/events.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { anyRows } from '../../support/readings.ts'

const STREAM = 'aaaaaaaa'

/** A device whose rows are on the disk and not in memory, as they are behind a long outage. */
function deviceOnDisk() {
  const clock = new ManualClock()
  const spool = new MemorySpool(1_000_000)
  const events = new Events<BridgeEventMap>(silentLog())
  const device = spool.device('pi')
  let seq = 0
  const take = (count: number) => {
    const rows = Array.from({ length: count }, () => ({
      stream: STREAM,
      seq: ++seq,
      json: Buffer.from('{}'),
      receivedAt: clock.now(),
      arrived: clock.monotonic(),
    }))
    device.accept(device.plan('own1', rows), false)
    events.emit('readings:spooled', 'pi', anyRows(count))
  }
  return { clock, spool, events, device, take }
}

it('rows that are on the disk and not in memory stand still as well, however many come after them', async () => {
  const { clock, device, events, spool, take } = deviceOnDisk()
  const progress = new Progress(events, spool, clock)
  for (let minute = 0; minute < 10; minute++) {
    take(5)
    await clock.advance(60_000)
  }
  expect(device.rows).toHaveLength(0)
  expect(progress.standstill(device)).toBe(600_000)
})

it('rows an earlier process left count from the start, though nobody looks', async () => {
  const { clock, device, events, spool, take } = deviceOnDisk()
  take(5)
  const progress = new Progress(events, spool, clock)
  await clock.advance(300_000)
  expect(progress.standstill(device)).toBe(300_000)
})

it('begins anew with every commit, and is nothing when nothing waits', async () => {
  const { clock, device, events, spool, take } = deviceOnDisk()
  const progress = new Progress(events, spool, clock)
  take(5)
  await clock.advance(60_000)
  device.trimTo({ ...(device.newest ?? { ordinal: 0, owner: 'own1', stream: STREAM }), seq: 3 })
  events.emit('rows:committed', 'pi', 3, 60_000)
  await clock.advance(10_000)
  expect(progress.standstill(device)).toBe(10_000)
  if (device.newest !== undefined) device.trimTo(device.newest)
  await clock.advance(10_000)
  expect(progress.standstill(device)).toBe(0)
})
