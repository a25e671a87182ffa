import { expect, it } from 'vitest'
import { dewPoint, relativeHumidity, saturationVapourPressure } from '../../publisher/sensors/humid-air.ts'

it.each([
  [25, 50, 13.857613],
  [20, 100, 20],
  [30, 70, 23.930468],
  [0, 80, -3.038569],
  [-10, 60, -16.301183],
  [40, 10, 2.623603],
])('air of %d °C and %d percent has its dew point at %f °C', (temperature, humidity, expected) => {
  // The vectors are given to a millionth of a degree.
  expect(Math.abs(dewPoint(temperature, humidity) - expected)).toBeLessThan(1e-6)
})

it.each([
  [25, 31.6174],
  [0, 6.1094],
  [40, 73.7472],
])('saturated air of %d °C holds vapour of %f hPa', (temperature, expected) => {
  expect(saturationVapourPressure(temperature)).toBeCloseTo(expected, 4)
})

it('a warm board changes the humidity and not the dew point', () => {
  const cool = relativeHumidity(22, 13.951)
  expect(cool).toBeCloseTo(60.277, 1)
  expect(dewPoint(22, cool)).toBeCloseTo(13.951, 6)
})

it('bone-dry air gives a number, not minus infinity', () => {
  expect(Number.isFinite(dewPoint(20, 0))).toBe(true)
})
