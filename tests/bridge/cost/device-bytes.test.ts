import { expect, it } from 'vitest'
import { billedBytes } from '../../../bridge/cost/billed-bytes.ts'
import { DeviceBytes, type DeviceBytesState } from '../../../bridge/cost/device-bytes.ts'
import { ndjsonOf } from '../../../bridge/ndjson.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const HOUR = 3_600_000
/** Local time. */
const at = (month: number, day: number, hour = 12) => new Date(2026, month - 1, day, hour).getTime()

it('what Snowflake counts of a batch is its values and not its keys', () => {
  const row = { a_long_name_of_a_column: 'äb', n: -12.5, none: null, yes: true, extra: { k: 1 } }
  const rows = Array.from({ length: 7 }, () => Buffer.from(JSON.stringify(row)))
  const values = 3 + 5 + 0 + 4 + '{"k":1}'.length + '2026-11-22T12:00:00.000Z'.length
  expect(billedBytes(ndjsonOf(rows, 0))).toBe(7 * values)
})

it('what cannot be told apart counts whole, and nothing is nothing', () => {
  expect(billedBytes(Buffer.from('{broken\n'))).toBe(8)
  expect(billedBytes(Buffer.alloc(0))).toBe(0)
})

it('bytes of a device are those of today, of yesterday and of the month, also of one that is silent since', () => {
  const clock = new ManualClock(at(11, 22))
  const bytes = new DeviceBytes(clock)
  bytes.add('pi', 1_000, 600)
  bytes.add('pi', 500, 300)
  expect(bytes.of('pi')).toEqual({ sentToday: 1_500, billedToday: 900, billedYesterday: 0, billedMonth: 900 })
  clock.stall(24 * HOUR)
  expect(bytes.of('pi')).toEqual({ sentToday: 0, billedToday: 0, billedYesterday: 900, billedMonth: 900 })
  clock.stall(24 * HOUR)
  expect(bytes.of('pi')).toMatchObject({ billedYesterday: 0, billedMonth: 900 })
  clock.stall(20 * 24 * HOUR)
  expect(bytes.of('pi')).toMatchObject({ billedYesterday: 0, billedMonth: 0 })
  expect(bytes.size).toBe(0)
})

it('yesterday outlives the end of a month', () => {
  const clock = new ManualClock(at(11, 30))
  const bytes = new DeviceBytes(clock)
  bytes.add('pi', 10, 7)
  clock.stall(24 * HOUR)
  expect(bytes.of('pi')).toMatchObject({ billedYesterday: 7, billedMonth: 0 })
})

it('survive a restart, also one over midnight', () => {
  const clock = new ManualClock(at(11, 22))
  const before = new DeviceBytes(clock)
  before.add('pi', 10, 7)
  const again = () => new DeviceBytes(clock, JSON.parse(JSON.stringify(before)) as DeviceBytesState)
  expect(again().of('pi')).toEqual(before.of('pi'))
  const kept = JSON.parse(JSON.stringify(before)) as DeviceBytesState
  clock.stall(24 * HOUR)
  expect(new DeviceBytes(clock, kept).of('pi')).toMatchObject({ billedToday: 0, billedYesterday: 7, billedMonth: 7 })
})

it('the dearest come first, and a device that is forgotten is none of them', () => {
  const bytes = new DeviceBytes(new ManualClock(at(11, 22)))
  for (let i = 0; i < 50; i++) bytes.add(`pi-${i}`, 100, (i * 37) % 50)
  const expected = Array.from({ length: 50 }, (_, i) => (i * 37) % 50).sort((a, b) => b - a)
  expect(bytes.top(5).map(({ billedMonth }) => billedMonth)).toEqual(expected.slice(0, 5))
  const [dearest] = bytes.top(1)
  bytes.forget(dearest?.hostname ?? '')
  expect(bytes.top(1)[0]?.billedMonth).toBe(48)
  expect(bytes.top(100).every(({ billedMonth }) => billedMonth > 0)).toBe(true)
})
