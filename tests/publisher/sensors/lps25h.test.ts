import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lps25h } from '../../../publisher/sensors/chips/lps25h.ts'
import { decodePressure, decodePressureTemperature } from '../../../publisher/sensors/chips/lps25h-decode.ts'
import { SimulatedLps25h } from '../../../publisher/sensors/simulated-bus/simulated-lps25h.ts'
import { driven } from './support.ts'

describe('the bytes of an LPS25H', () => {
  it.each([
    ['00D03E', 1005],
    ['00543F', 1013.25],
    ['7A1C3F', 1009.77978516],
    ['00802F', 760],
    ['00F0FF', -1],
    ['FFFFFF', -0.00024414],
    ['00D8F3', -194.5],
    ['000080', -2048],
    ['FFFF7F', 2047.99975586],
  ])('%s is %d hPa', (out, hpa) => {
    expect(decodePressure(Buffer.from(out, 'hex'))).toBeCloseTo(hpa, 8)
  })

  it.each([
    ['0000', 42.5],
    ['80DA', 22.5],
    ['25E2', 26.577083],
    ['B004', 45],
    ['50B0', 0],
    ['FFFF', 42.497917],
    ['0080', -25.766667],
    ['FF7F', 110.764583],
  ])('%s is %d °C', (out, celsius) => {
    expect(decodePressureTemperature(Buffer.from(out, 'hex'))).toBeCloseTo(celsius, 6)
  })
})

describe('an LPS25H that is read', () => {
  const chip = () =>
    driven(
      (truth, chance, now) => new SimulatedLps25h(truth, chance, now),
      (deps) => new Lps25h(deps),
    )

  it('gives every pressure and temperature within a count', async () => {
    const { chip: driver, tell } = await chip()
    const pressures = fc.double({ min: 260.001, max: 1259.999, noNaN: true })
    const temperatures = fc.double({ min: -25.766, max: 104.999, noNaN: true })
    await fc.assert(
      fc.asyncProperty(pressures, temperatures, async (pressure, temperature) => {
        tell({ pressure, temperature })
        const sample = await driver.sample()
        expect(Math.abs(sample.pressure - pressure)).toBeLessThan(1 / 4096)
        expect(Math.abs(sample.temperature - temperature)).toBeLessThan(1 / 480)
      }),
    )
  })

  it('has measured when its start ends', async () => {
    const { chip: driver } = await chip()
    expect((await driver.sample()).pressure).toBe(1000)
  })

  it('gives the mean of the last 32 measurements, over 1.28 s', async () => {
    const { chip: driver, clock, tell } = await chip()
    tell({ pressure: 1000 })
    await driver.sample()
    tell({ pressure: 1010 })
    clock.leap(-2_000 + 16 * 40)
    expect((await driver.sample()).pressure).toBeCloseTo(1005, 0)
  })

  it.each([
    ['a pressure that cannot be', { pressure: 1261 }, 'implausible'],
    ['a pressure that cannot be', { pressure: 259 }, 'implausible'],
    ['a temperature that cannot be', { temperature: 106 }, 'implausible'],
  ])('refuses %s: %j', async (_what, truth, kind) => {
    const { chip: driver, tell } = await chip()
    tell(truth)
    await expect(driver.sample()).rejects.toMatchObject({ kind })
  })

  it('takes 760 hPa for what the registers hold before a measurement, but not in the mountains, where it is the weather', async () => {
    const { chip: driver, device, tell } = await chip()
    tell({ pressure: 760 })
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'reset' })
    tell({ pressure: 760.1 })
    await driver.sample()
    tell({ pressure: 760 })
    expect((await driver.sample()).pressure).toBe(760)
    device.powerUp()
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'reset' })
  })

  it('that did not change for minutes is believed', async () => {
    const { chip: driver, device, clock } = await chip()
    clock.leap(2_000)
    await driver.sample()
    device.frozen = true
    for (let i = 0; i < 300; i++) {
      clock.leap(1_000)
      expect((await driver.sample()).pressure).toBe(1000)
    }
  })

  it('sees when its settings are gone, and that nothing was measured since', async () => {
    const { chip: driver, device } = await chip()
    await driver.verify()
    device.powerUp()
    await expect(driver.verify()).rejects.toMatchObject({ kind: 'reset' })
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'reset' })
  })
})
