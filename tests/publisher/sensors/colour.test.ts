import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Colour } from '../../../publisher/sensors/chips/colour.ts'
import { colourTemperature, illuminance, saturation } from '../../../publisher/sensors/chips/colour-decode.ts'
import { FIRST_EXPOSURE, nextExposure } from '../../../publisher/sensors/chips/exposure-steps.ts'
import {
  SimulatedColour,
  type SimulatedColourOptions,
} from '../../../publisher/sensors/simulated-bus/simulated-colour.ts'
import { driven } from './support.ts'

describe('counts of a TCS34725', () => {
  it.each([
    [1200, 560, 420, 300, 153.6, 4, 169.16797, 3296],
    [3600, 1500, 1300, 900, 24, 1, 13818.25, 3624.4483],
    [300, 200, 140, 100, 2.4, 1, 9604.8333, 2270.2308],
  ])('C %d R %d G %d B %d in %d ms at %dx are %d lx and %d K', (clear, red, green, blue, ms, gain, lux, kelvin) => {
    const counts = { clear, red, green, blue }
    expect(illuminance(counts, 'TCS34725', gain, ms)).toBeCloseTo(lux, 4)
    expect(colourTemperature(counts)).toBeCloseTo(kelvin, 4)
  })

  it('without red have no colour temperature, and infrared alone is no light', () => {
    expect(colourTemperature({ clear: 100, red: 0, green: 50, blue: 50 })).toBeNull()
    expect(illuminance({ clear: 0, red: 10, green: 10, blue: 10 }, 'TCS34725', 1, 24)).toBe(0)
  })

  it('are not believed at the top: of flickering light a quarter earlier', () => {
    expect(saturation('TCS34725', { gain: 1, cycles: 10 })).toBe(7680)
    expect(saturation('TCS34725', { gain: 1, cycles: 64 })).toBe(65_535)
  })
})

describe('the exposure', () => {
  it('goes down by gain, then by time, and up by gain, then by time, to an end', () => {
    const way = (clear: number) => {
      const steps = [FIRST_EXPOSURE]
      for (let i = 0; i < 5; i++) steps.push(nextExposure('TCS34725', steps.at(-1) ?? FIRST_EXPOSURE, clear))
      return steps.map(({ gain, cycles }) => `${gain}x${cycles}`)
    }
    expect(way(65_535)).toEqual(['16x10', '4x10', '1x10', '1x10', '1x10', '1x10'])
    expect(way(0)).toEqual(['16x10', '60x10', '60x64', '60x64', '60x64', '60x64'])
  })
})

describe.each<SimulatedColourOptions>([
  { part: 'TCS34725' },
  { part: 'TCS34725', byTheBook: true },
  { part: 'TCS3400' },
  { part: 'TCS3400', byTheBook: true },
])('a light sensor that is read: %j', (options) => {
  const chip = () =>
    driven(
      (truth, chance, now) => new SimulatedColour(truth, chance, now, options),
      (deps) => new Colour(deps),
    )

  it('is found by its identity', async () => {
    const { chip: driver } = await chip()
    expect([driver.name, driver.registers.address]).toEqual([options.part, options.part === 'TCS3400' ? 0x39 : 0x29])
  })

  it.each([0, 3, 80, 500, 3_000, 20_000])('comes to see %d lx by changing its exposure', async (lux) => {
    const { chip: driver, tell } = await chip()
    let seen = await driver.sample()
    for (let second = 0; second < 8; second++) {
      tell({ light: { illuminance: lux, kelvin: 4000 } })
      seen = await driver.sample()
    }
    expect(Math.abs((seen.illuminance ?? Number.NaN) - lux)).toBeLessThanOrEqual(Math.max(0.5, lux * 0.02))
    await driver.verify()
  })

  it('gives every light within two counts of the exposure it was counted at', async () => {
    const { chip: driver, device, tell } = await chip()
    const lights = [fc.double({ min: 0, max: 20_000, noNaN: true }), fc.double({ min: 2_500, max: 8_000, noNaN: true })]
    const register = (command: number) => {
      const into = Buffer.alloc(1)
      device.read(command, into)
      return into.readUInt8(0)
    }
    const [cycleMs, gains] = options.part === 'TCS3400' ? [2.78, [1, 4, 16, 64]] : [2.4, [1, 4, 16, 60]]
    await fc.assert(
      fc.asyncProperty(...(lights as [fc.Arbitrary<number>, fc.Arbitrary<number>]), async (illuminance, kelvin) => {
        for (let step = 0; step < 6; step++) {
          tell({ light: { illuminance, kelvin } })
          await driver.sample()
        }
        const perCount = 1 / ((256 - register(0x81)) * cycleMs * (gains[register(0x8f) & 0x03] ?? Number.NaN))
        tell({ light: { illuminance, kelvin } })
        const seen = await driver.sample()
        const luxPerCount = perCount * (options.part === 'TCS3400' ? 100 : 310)
        expect(Math.abs((seen.illuminance ?? Number.NaN) - illuminance)).toBeLessThanOrEqual(2 * luxPerCount)
      }),
      { numRuns: 40 },
    )
  })

  it('gives counts that mean the same at every exposure', async () => {
    const { chip: driver, tell } = await chip()
    const clear: number[] = []
    for (const lux of [400, 40, 4, 4, 4]) {
      tell({ light: { illuminance: lux, kelvin: 4000 } })
      clear.push(((await driver.sample()).counts?.clear ?? Number.NaN) / lux)
    }
    for (const one of clear) expect(one / (clear[0] ?? 1)).toBeCloseTo(1, 1)
  })

  it('in the dark, read ten times a second, keeps what it saw while it changes its exposure', async () => {
    const { chip: driver, clock, tell } = await chip()
    tell({ light: { illuminance: 0, kelvin: 4000 } })
    for (let i = 0; i < 100; i++) {
      clock.leap(100)
      expect(await driver.sample()).toMatchObject({ illuminance: 0 })
    }
  })

  it('never takes what was counted at one exposure for the other', async () => {
    const { chip: driver, clock, tell } = await chip()
    tell({ light: { illuminance: 12, kelvin: 4000 } })
    for (let i = 0; i < 400; i++) {
      clock.leap(10)
      expect(Math.abs(((await driver.sample()).illuminance ?? Number.NaN) - 12)).toBeLessThan(1)
    }
  })

  it('says nothing of light that is too bright, and takes the next step', async () => {
    const { chip: driver, tell } = await chip()
    tell({ light: { illuminance: 15_000, kelvin: 6500 } })
    expect(await driver.sample()).toEqual({ counts: null, illuminance: null })
  })

  it('sees when its settings are gone', async () => {
    const { chip: driver, device } = await chip()
    device.powerUp()
    await expect(driver.verify()).rejects.toMatchObject({ kind: 'reset' })
  })
})
