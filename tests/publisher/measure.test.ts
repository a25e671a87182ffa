import { expect, it } from 'vitest'
import { NOTHING_KNOWN } from '../../publisher/host-metrics.ts'
import { createReadingMaker } from '../../publisher/measure.ts'
import { NOTHING_MEASURED, type SensorValues } from '../../publisher/sensors/sensors.ts'
import { silentLog } from '../../src/log.ts'
import { FIELDS } from '../../src/reading.ts'
import { identity, sensorsThat } from './support.ts'

const NOW = { epochMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), clock: 'synced' } as const

function maker(read: () => Promise<SensorValues>) {
  return createReadingMaker(identity, 'abcd1234', true, {
    log: silentLog(),
    sensors: sensorsThat(read),
    host: { keys: [], read: async () => ({ ...NOTHING_KNOWN, cputempc: 50, uptime_s: 77 }) },
  })
}

const air = { ...NOTHING_MEASURED, temperature: 25.001, humidity: 50 }

it('a reading has every key a publisher writes, and no other', async () => {
  const reading = await maker(async () => air).take(NOW)
  const keys = FIELDS.filter((field) => !('byBridge' in field || 'optional' in field)).map((field) => field.key)
  expect(Object.keys(reading).sort()).toEqual([...keys].sort())
})

it('a reading names itself, its device, its run and its time', async () => {
  const one = maker(async () => air)
  await one.take(NOW)
  expect(await one.take(NOW)).toMatchObject({
    uuid: 'pi-a-abcd1234-2',
    rowid: '20260102030405_pi-a-abcd1234-2',
    hostname: 'pi-a',
    stream: 'abcd1234',
    seq: 2,
    ts: 1767323045,
    datetimestamp: '2026-01-02T03:04:05.678Z',
    systemtime: '01/02/2026 03:04:05',
    clock: 'synced',
    simulated: true,
    temperature: 25,
    dew_point: 13.86,
    cputempc: 50,
    cputempf: 122,
    uptime_s: 77,
    privacy: null,
    compensation: null,
  })
})

it('sensors that do not answer give null, are counted, and nothing is invented', async () => {
  let broken = true
  const one = maker(() => (broken ? Promise.reject(new Error('no answer')) : Promise.resolve(air)))
  const reading = await one.take(NOW)
  expect(reading).toMatchObject({ temperature: null, pressure: null, dew_point: null, pitch: null, compass: null })
  expect(one).toMatchObject({ sensorFailures: 1, failing: true })
  broken = false
  expect(await one.take(NOW)).toMatchObject({ seq: 2, temperature: 25 })
  expect(one).toMatchObject({ sensorFailures: 1, failing: false })
})

it('an angle that rounds to a full turn is 0', async () => {
  const tilted = { ...NOTHING_MEASURED, accel_x: 0, accel_y: -1e-6, accel_z: 1, mag_x: 20, mag_y: 1e-6, mag_z: 40 }
  expect(await maker(async () => tilted).take(NOW)).toMatchObject({ roll: 0, pitch: 0, yaw: 0, compass: 0 })
})

it('a chip that is silent takes only its own values with it', async () => {
  const halves = { ...air, accel_x: 0, accel_y: 0, accel_z: 1 }
  const reading = await maker(async () => halves).take(NOW)
  expect(reading).toMatchObject({ temperature: 25, roll: 0, pitch: 0, yaw: null, compass: null, mag_x: null })
})
