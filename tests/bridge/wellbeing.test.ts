import { expect, it } from 'vitest'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import { wellbeingOf } from '../../bridge/wellbeing.ts'

function wellbeing(busyMs: number, isConnected: boolean) {
  const spool = new MemorySpool(1_000_000)
  spool.device('pi-a')
  return wellbeingOf({ busyMs, devices: () => spool.devices() }, isConnected)
}

it('a broker that is away is told, and is nothing that a new start would mend', () => {
  expect(wellbeing(0, false)).toEqual({
    status: 'waiting for the broker; 1 device, 0 rows not yet in the table',
    stuck: undefined,
  })
})

it('a disk that is slow is waited for, one that hangs is not', () => {
  expect(wellbeing(29_999, true).stuck).toBeUndefined()
  expect(wellbeing(40_000, true).stuck).toBe('the disk of the spool has not answered for 40 s')
})
