import { expect, it } from 'vitest'
import { BackPressure } from '../../bridge/back-pressure.ts'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import { spoolFull } from '../../bridge/spool/spool.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'

const ROOM = 1_000

function row(seq: number) {
  return { stream: 'aaaaaaaa', seq, json: Buffer.from(`{"n":"${'x'.repeat(91)}"}`), receivedAt: 0, arrived: 0 }
}

it('a full spool takes none of a message, refuses the next ones, and asks for all of it again when there is room', async () => {
  const spool = new MemorySpool(ROOM, 'abcd')
  const device = spool.device('pi-a')
  let resumed = 0
  const clock = new ManualClock()
  const resume = () => {
    resumed++
  }
  const pressure = new BackPressure({ clock, log: silentLog(), spool, maxBytes: ROOM, resume })
  const take = (...seqs: number[]) =>
    pressure.guard(async () => {
      await spool.append([{ device, rows: seqs.map(row) }])
    })

  await take(1, 2, 3, 4, 5, 6, 7, 8, 9)
  await expect(take(10, 11)).rejects.toMatchObject({ code: 'E_SPOOL_FULL', retryable: true })
  expect(device.rows).toHaveLength(9)
  expect(device.has('aaaaaaaa', 10)).toBe(false)
  // One row would still fit; but it would overtake the message before it.
  await expect(take(10)).rejects.toMatchObject({ code: 'E_SPOOL_FULL' })

  pressure.eased()
  expect(resumed).toBe(0)
  const [, , , fourth] = device.rows
  device.trimTo(fourth?.token ?? expect.fail('a fourth row'))
  pressure.eased()
  expect({ resumed, full: pressure.full, bytes: spool.bytes }).toEqual({
    resumed: 1,
    full: false,
    bytes: 5 * row(1).json.length,
  })
  await take(10, 11)
  expect(device.rows).toHaveLength(7)
})

it('a disk that others have filled is tried again, though no row leaves that could tell', async () => {
  const clock = new ManualClock()
  const spool = new MemorySpool(ROOM, 'abcd')
  let resumed = 0
  const resume = () => {
    resumed++
  }
  const pressure = new BackPressure({ clock, log: silentLog(), spool, maxBytes: ROOM, resume })
  await expect(pressure.guard(() => Promise.reject(spoolFull()))).rejects.toMatchObject({ code: 'E_SPOOL_FULL' })
  expect(pressure.full).toBe(true)
  await clock.advance(30_000)
  expect({ resumed, full: pressure.full }).toEqual({ resumed: 1, full: false })
  pressure.close()
})
