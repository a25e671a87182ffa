import { beforeAll, describe, expect, it } from 'vitest'
import { dewPoint } from '../../publisher/sensors/humid-air.ts'
import { SENSOR_KEYS, type SensorValues } from '../../publisher/sensors/sensors.ts'
import { openSimulator, type SimulatorOptions } from '../../publisher/sensors/simulator.ts'
import { createChance } from '../../publisher/sensors/world/chance.ts'
import { dayCurve, stationPressure } from '../../publisher/sensors/world/weather.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'

const MIDNIGHT = Date.UTC(2026, 10, 22)
const INDOOR: SimulatorOptions = { seed: 7, board: 'v1', environment: 'indoor', altitude_m: 0, motion: 'still' }

async function simulate(options: SimulatorOptions, count: number, seconds: number): Promise<SensorValues[]> {
  const clock = new ManualClock(MIDNIGHT)
  const simulator = await openSimulator(options, { clock, log: silentLog() })
  const values: SensorValues[] = []
  for (let i = 0; i < count; i++) {
    clock.stall(seconds * 1000)
    values.push(await simulator.read())
  }
  return values
}

const column = (values: SensorValues[], key: keyof SensorValues) => values.map((v) => v[key] ?? Number.NaN)
const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length
function correlation(a: number[], b: number[]): number {
  const [ma, mb] = [mean(a), mean(b)]
  const sum = (f: (x: number, y: number) => number) => a.reduce((s, x, i) => s + f(x - ma, (b[i] ?? mb) - mb), 0)
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y))
}

it('the same seed and clock give the same readings, another seed others', async () => {
  const first = await simulate(INDOOR, 50, 1)
  expect(await simulate(INDOOR, 50, 1)).toEqual(first)
  expect(await simulate({ ...INDOOR, seed: 8 }, 50, 1)).not.toEqual(first)
})

it('normal numbers have mean 0 and deviation 1', () => {
  const chance = createChance(1)
  const draws = Array.from({ length: 20_000 }, () => chance.normal())
  expect(mean(draws)).toBeCloseTo(0, 1)
  expect(mean(draws.map((x) => x * x))).toBeCloseTo(1, 1)
})

it('the day is coldest after dawn and warmest in the afternoon', () => {
  expect(dayCurve(5.5)).toBeCloseTo(-1, 9)
  expect(dayCurve(15)).toBeCloseTo(1, 9)
  expect(dayCurve(23.99)).toBeCloseTo(dayCurve(0), 1)
})

it('pressure falls with altitude as in the standard atmosphere', () => {
  expect(stationPressure(1013.209, 540)).toBeCloseTo(950, 2)
  expect(stationPressure(1011.94, 100)).toBeCloseTo(1000, 2)
})

describe.each([
  ['indoor', { ...INDOOR }],
  ['outdoor', { ...INDOOR, environment: 'outdoor', altitude_m: 540 } as const],
])('over a simulated day %s', (_name, options) => {
  let day: SensorValues[] = []
  beforeAll(async () => {
    day = await simulate(options, 1440, 60)
  })

  it('every value stays where a real board would have it', () => {
    for (const value of day) {
      expect(value.temperature).toBeGreaterThan(0)
      expect(value.temperature).toBeLessThan(40)
      expect(value.humidity).toBeGreaterThan(5)
      expect(value.humidity).toBeLessThanOrEqual(100)
      expect(value.pressure).toBeGreaterThan(options.altitude_m > 0 ? 910 : 975)
      expect(value.pressure).toBeLessThan(options.altitude_m > 0 ? 985 : 1050)
    }
  })

  it('humidity runs against temperature, seen over weeks in which the weather changes', async () => {
    const weeks = await simulate(options, 30 * 144, 600)
    expect(correlation(column(weeks, 'temperature'), column(weeks, 'humidity'))).toBeLessThan(-0.2)
  })

  it('dew point moves slowly and less than the temperature allows', () => {
    const dew = day.map((v) => dewPoint(v.temperature ?? 0, v.humidity ?? 0))
    expect(Math.max(...dew) - Math.min(...dew)).toBeLessThan(14)
    for (const [i, value] of dew.entries()) expect(value).toBeLessThan(day[i]?.temperature ?? 0)
  })

  it('the barometer moves less than 2 hPa in an hour', () => {
    const pressure = column(day, 'pressure')
    for (let i = 60; i < pressure.length; i += 10)
      expect(Math.abs((pressure[i] ?? 0) - (pressure[i - 60] ?? 0))).toBeLessThan(2)
  })
})

it('a board that lies still feels one g, the earth field and hardly any turn', async () => {
  for (const v of await simulate(INDOOR, 200, 1)) {
    expect(Math.hypot(v.accel_x ?? 0, v.accel_y ?? 0, v.accel_z ?? 0)).toBeCloseTo(1, 0)
    expect(Math.abs(Math.hypot(v.accel_x ?? 0, v.accel_y ?? 0, v.accel_z ?? 0) - 1)).toBeLessThan(0.15)
    expect(Math.abs(Math.hypot(v.mag_x ?? 0, v.mag_y ?? 0, v.mag_z ?? 0) - 49)).toBeLessThan(3)
    expect(Math.hypot(v.gyro_x ?? 0, v.gyro_y ?? 0, v.gyro_z ?? 0)).toBeLessThan(0.3)
  }
})

it('a turntable turns about its axis at the rate the gyroscope says', async () => {
  const still = await simulate(INDOOR, 100, 1)
  const turning = await simulate({ ...INDOOR, motion: 'turntable' }, 100, 1)
  const rate = mean(column(turning, 'gyro_z')) - mean(column(still, 'gyro_z'))
  expect(rate).toBeCloseTo((6 * Math.PI) / 180, 2)
})

it('a desk is knocked now and then, and a hand is never still', async () => {
  const shaken = (values: SensorValues[]) => {
    const x = column(values, 'gyro_y')
    return Math.max(...x) - Math.min(...x)
  }
  const still = shaken(await simulate(INDOOR, 3600, 0.5))
  expect(shaken(await simulate({ ...INDOOR, motion: 'desk' }, 3600, 0.5))).toBeGreaterThan(3 * still)
  expect(shaken(await simulate({ ...INDOOR, motion: 'handheld' }, 100, 0.5))).toBeGreaterThan(3 * still)
})

it('what the chips say is the truth, but for their noise and the error each keeps for life', async () => {
  const clock = new ManualClock(MIDNIGHT)
  const simulator = await openSimulator({ ...INDOOR, board: 'v2' }, { clock, log: silentLog() })
  for (let i = 0; i < 100; i++) {
    clock.stall(1_000)
    const [value, truth] = [await simulator.read(), simulator.truth()]
    const { accel, gyro, field } = truth.inertia
    const far = (key: keyof SensorValues, from: number) => Math.abs((value[key] ?? Number.NaN) - from)
    expect(far('temperature', truth.temperature)).toBeLessThan(1)
    expect(far('humidity', truth.humidity)).toBeLessThan(7)
    expect(far('pressure', truth.pressure)).toBeLessThan(1.5)
    for (const axis of ['x', 'y', 'z'] as const) {
      expect(far(`accel_${axis}`, accel[axis])).toBeLessThan(0.15)
      expect(far(`gyro_${axis}`, gyro[axis])).toBeLessThan(0.2)
      expect(far(`mag_${axis}`, field[axis])).toBeLessThan(2)
    }
  }
})

it('hard iron is there when asked for', async () => {
  const strength = (v: SensorValues) => Math.hypot(v.mag_x ?? 0, v.mag_y ?? 0, v.mag_z ?? 0)
  const [value] = await simulate({ ...INDOOR, hardIron: true }, 1, 1)
  expect(value && Math.abs(strength(value) - 49)).toBeGreaterThan(3)
})

it('values come in the steps of the chips', async () => {
  const [value] = await simulate(INDOOR, 1, 1)
  // Its calibration has 730 counts for 15.25 °C.
  const count = (((value?.temperature ?? 0.1) - 19.5) * 730) / 15.25
  expect(count).toBeCloseTo(Math.round(count), 6)
  expect(((value?.pressure ?? 0.1) * 4096) % 1).toBe(0)
  expect((value?.accel_z ?? 0) / 0.000244).toBeCloseTo(Math.round((value?.accel_z ?? 0) / 0.000244), 6)
})

it('only the second board sees light, more by day than by night', async () => {
  const old = await simulate(INDOOR, 1, 43_200)
  expect(SENSOR_KEYS.filter((key) => old[0]?.[key] === null)).toEqual([
    'color_red',
    'color_green',
    'color_blue',
    'color_clear',
    'illuminance',
  ])
  const [noon, night] = await simulate({ ...INDOOR, board: 'v2' }, 2, 43_200)
  expect(noon?.illuminance).toBeGreaterThan(20)
  expect(night?.illuminance).toBeLessThan(2)
})
