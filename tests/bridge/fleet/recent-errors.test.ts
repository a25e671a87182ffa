import { expect, it } from 'vitest'
import type { BridgeEventMap } from '../../../bridge/events.ts'
import { RecentErrors } from '../../../bridge/fleet/recent-errors.ts'
import { Events } from '../../../src/events.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function world() {
  const clock = new ManualClock()
  const events = new Events<BridgeEventMap>(silentLog())
  return { clock, events, errors: new RecentErrors(events, clock) }
}

it('recent errors: the newest first, the same one counted', async () => {
  const { clock, events, errors } = world()
  events.emit('reading:refused', 'pi', 'not_json', 'the payload is not JSON')
  events.emit('rows:rejected', 'pi', 2, 'bad value')
  await clock.advance(60_000)
  events.emit('reading:refused', 'pi', 'not_json', 'the payload is not JSON')
  expect(errors.of('pi')).toEqual([
    { code: 'not_json', message: 'the payload is not JSON', at: '2026-11-22T12:01:00.000Z', times: 2 },
    {
      code: 'rows_rejected',
      message: 'Snowflake could not store 2 of its rows: bad value',
      at: '2026-11-22T12:00:00.000Z',
      times: 1,
    },
  ])
  expect(errors.of('other')).toEqual([])
})

it('recent errors are bounded: twenty of a device, and of many devices those that erred last', () => {
  const { events, errors } = world()
  for (let device = 0; device < 300; device++)
    for (let i = 0; i < 30; i++) events.emit('lane:blocked', `pi-${device}`, 'code', `reason ${i} ${'x'.repeat(1_000)}`)
  expect(errors.of('pi-299')).toHaveLength(20)
  expect(errors.of('pi-299')[0]?.message).toMatch(/^reason 29 x{289,}…$/)
  expect(errors.of('pi-200')).toHaveLength(20)
  expect(errors.of('pi-199')).toEqual([])
  events.emit('device:forgotten', 'pi-299')
  expect(errors.of('pi-299')).toEqual([])
})
