import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Hts221 } from '../../../publisher/sensors/chips/hts221.ts'
import {
  decodeCalibration,
  decodeHumidity,
  decodeTemperature,
  limitedHumidity,
} from '../../../publisher/sensors/chips/hts221-calibration.ts'
import { SimulatedHts221 } from '../../../publisher/sensors/simulated-bus/simulated-hts221.ts'
import { driven } from './support.ts'

const A = '285050A000000040000000602C01F401'
const B = '42929C16A5C4F8FF5CFF2CD90C00E602'
const D = '379504E8000DB004000008D57CFC8403'
const bytes = (hex: string) => Buffer.from(hex, 'hex')

describe('the bytes of an HTS221', () => {
  it.each([
    [A, '00509001', 30, 30, 15],
    [B, '8EEF2A01', 49.923077, 49.923077, 25.474658],
    [B, 'E0B1CCF7', 113.515505, 100, -24.620548],
    [B, '28230C00', -3.278695, 0, 19.5],
    [D, '60F00000', 47.532787, 47.532787, 78.75],
  ])(
    'calibration %s and output %s are humidity and temperature',
    (calibration, out, unlimited, limited, temperature) => {
      const line = decodeCalibration(bytes(calibration))
      const humidity = decodeHumidity(line, bytes(out).readInt16LE(0))
      expect(humidity).toBeCloseTo(unlimited, 6)
      expect(limitedHumidity(humidity)).toBeCloseTo(limited, 6)
      expect(decodeTemperature(line, bytes(out).readInt16LE(2))).toBeCloseTo(temperature, 6)
    },
  )

  it.each([
    ['equal humidity points', '424200A000C4F8FF5CFF2CD90C00E602'],
    ['a line without a slope', '42929C16A5C4F8FF5CFFF8FF0C00E602'],
    ['temperatures the wrong way round', '42929C16A500F8FF5CFF2CD90C00E602'],
    ['equal temperature counts', '42929C16A5C4F8FF5CFF2CD90C000C00'],
  ])('a calibration of %s is refused', (_what, calibration) => {
    expect(() => decodeCalibration(bytes(calibration))).toThrow('calibration that makes no sense')
  })
})

describe('an HTS221 that is read', () => {
  const chip = () =>
    driven(
      (truth, chance, now) => new SimulatedHts221(truth, chance, now),
      (deps) => new Hts221(deps),
    )

  it('gives every humidity and temperature within a count', async () => {
    const { chip: driver, tell } = await chip()
    const humidities = fc.double({ min: 0, max: 100, noNaN: true })
    const temperatures = fc.double({ min: -39.99, max: 119.99, noNaN: true })
    await fc.assert(
      fc.asyncProperty(humidities, temperatures, async (humidity, temperature) => {
        tell({ humidity, temperature })
        const sample = await driver.sample()
        expect(Math.abs(sample.humidity - humidity)).toBeLessThan(40 / 9932)
        expect(Math.abs(sample.temperature - temperature)).toBeLessThan(15.25 / 730)
      }),
    )
  })

  it('between two measurements gives the last one, and not for longer than two seconds', async () => {
    const { chip: driver, device, clock, tell } = await chip()
    tell({ humidity: 60 })
    const first = await driver.sample()
    expect(await driver.sample()).toBe(first)
    device.frozen = true
    clock.leap(1_900)
    expect(await driver.sample()).toBe(first)
    clock.leap(200)
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'frozen' })
  })

  it.each([[{ temperature: 121 }], [{ temperature: -41 }]])(
    'refuses a temperature that cannot be: %j',
    async (truth) => {
      const { chip: driver, tell } = await chip()
      tell(truth)
      await expect(driver.sample()).rejects.toMatchObject({
        kind: 'implausible',
        message: expect.stringContaining('temperature'),
      })
    },
  )

  it.each([
    [102, 100, false],
    [-2, 0, false],
    [104, 100, true],
    [-4, 0, true],
  ])('gives %d %% as %d %%, and the temperature; that it is odd: %s', async (measured, limited, isOdd) => {
    const { chip: driver, tell } = await chip()
    tell({ humidity: measured })
    const sample = await driver.sample()
    expect([sample.humidity, sample.temperature]).toEqual([limited, expect.closeTo(22, 1)])
    expect(driver.doubt !== null).toBe(isOdd)
    tell({ humidity: 50 })
    await driver.sample()
    expect(driver.doubt).toBeNull()
  })

  it('sees when its settings are gone, and when somebody heats it', async () => {
    const { chip: driver, device } = await chip()
    await driver.verify()
    device.write(0x21, 0x02)
    await expect(driver.verify()).rejects.toMatchObject({ kind: 'reset' })
    await driver.start()
    await driver.verify()
    device.powerUp()
    await expect(driver.verify()).rejects.toMatchObject({ kind: 'reset' })
  })
})
