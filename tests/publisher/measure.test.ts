import { expect, it } from 'vitest'
import { heatCompensation } from '../../publisher/heat-compensation.ts'
import { NOTHING_KNOWN } from '../../publisher/host-metrics.ts'
import { createReadingMaker, type MeasureDeps } from '../../publisher/measure.ts'
import { NOTHING_MEASURED, type SensorValues } from '../../publisher/sensors/sensors.ts'
import { silentLog } from '../../src/log.ts'
import { FIELDS } from '../../src/reading.ts'
import { identity, sensorsThat } from './support.ts'

const NOW = { epochMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), clock: 'synced' } as const

function maker(read: () => Promise<SensorValues>, further: Partial<MeasureDeps> = {}) {
  return createReadingMaker(identity, 'abcd1234', true, {
    log: silentLog(),
    sensors: sensorsThat(read),
    host: { keys: [], read: async () => ({ ...NOTHING_KNOWN, cputempc: 50, uptime_s: 77 }) },
    ...further,
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

const KNOWN = { orientation: { pitch: 1, roll: 2, yaw: 3 }, compass: 4, gyroBias: { x: 0.1, y: 0, z: -0.2 } }

it('where somebody follows the pose it is told, and the bias of the gyroscope is taken away', async () => {
  const turning = { ...air, gyro_x: 0.1, gyro_y: 0, gyro_z: 0.3, accel_x: 0, accel_y: 0, accel_z: 1 }
  const one = maker(async () => turning, { follower: { pose: KNOWN } })
  const turned = { pitch: 1, roll: 2, yaw: 3, compass: 4, gyro_x: 0, gyro_y: 0, gyro_z: 0.5 }
  expect(await one.take(NOW)).toMatchObject(turned)
})

it('a pose that nobody knows is null, also where one could be made up', async () => {
  const lying = { ...air, accel_x: 0, accel_y: 0, accel_z: 1, mag_x: 20, mag_y: 0, mag_z: 40, gyro_x: 0.1 }
  const one = maker(async () => lying, { follower: { pose: { orientation: null, compass: null, gyroBias: null } } })
  expect(await one.take(NOW)).toMatchObject({ pitch: null, roll: null, yaw: null, compass: null, gyro_x: 0.1 })
})

it('a heading without a follower is true where the declination is known', async () => {
  const lying = { ...air, accel_x: 0, accel_y: 0, accel_z: 1, mag_x: 20, mag_y: 0, mag_z: 40 }
  expect(await maker(async () => lying, { declination: -3 }).take(NOW)).toMatchObject({ yaw: 357, compass: 357 })
})

it('an estimate of the air is beside what the sensor says, with its method, and the dew point stays', async () => {
  const settings = { temperature_compensation: 'cpu', temperature_factor: 5, temperature_offset: 0 } as const
  const method = heatCompensation(settings, undefined)
  const compensation = method && { method, now: () => 0 }
  expect(await maker(async () => air, { compensation }).take(NOW)).toMatchObject({
    temperature: 25,
    humidity: 50,
    temperature_compensated: 20,
    humidity_compensated: 67.75,
    compensation: 'cpu',
    dew_point: 13.86,
  })
})
