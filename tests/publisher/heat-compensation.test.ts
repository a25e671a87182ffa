import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fittedFactor } from '../../publisher/calibration/temperature-fit.ts'
import { compensatedKeys, type HeatCompensation, heatCompensation } from '../../publisher/heat-compensation.ts'
import { dewPoint } from '../../publisher/sensors/humid-air.ts'

type Method = 'none' | 'cpu' | 'offset'
const settings = (method: Method, factor = 0, offset = 0) => ({
  temperature_compensation: method,
  temperature_factor: factor,
  temperature_offset: offset,
})
const byCpu = (factor: number) => heatCompensation(settings('cpu', factor), undefined) as HeatCompensation
const celsius = (min: number, max: number) => fc.double({ min, max, noNaN: true })

describe('by the temperature of the processor', () => {
  it.each([
    [35.2, 55, 1.5, 22],
    [35.2, 55, 5.466, 31.5776],
    [33, 52.1, 1.5, 20.2667],
    [30, 30, 1.5, 30],
  ])('%d °C at a processor of %d °C and a factor of %d is air of %d °C', (temperature, cpu, factor, air) => {
    const made = byCpu(factor).of({ temperature, humidity: null, cpu }, 0)
    expect(made).toEqual({
      temperature_compensated: expect.closeTo(air, 4),
      humidity_compensated: null,
      compensation: 'cpu',
    })
  })

  it.each([
    [1.5, 60.277],
    [5.466, 34.305],
  ])('with a factor of %d 28 %% at the sensor are %d %% in the air, with the same dew point', (factor, humidity) => {
    const made = byCpu(factor).of({ temperature: 35.2, humidity: 28, cpu: 55 }, 0)
    expect(made.humidity_compensated).toBeCloseTo(humidity, 3)
    expect(dewPoint(made.temperature_compensated ?? 0, made.humidity_compensated ?? 0)).toBeCloseTo(13.951, 3)
  })

  it('never warms, never cools by more than 20 °C, and humidity never passes 100 %', () => {
    const cases = [celsius(-20, 60), celsius(0, 100), celsius(0, 95), celsius(0.05, 20)] as const
    fc.assert(
      fc.property(...cases, (temperature, humidity, cpu, factor) => {
        const made = byCpu(factor).of({ temperature, humidity, cpu }, 0)
        const less = temperature - (made.temperature_compensated ?? Number.NaN)
        expect(less).toBeGreaterThanOrEqual(0)
        expect(less).toBeLessThanOrEqual(20 + 1e-9)
        expect(made.humidity_compensated).toBeLessThanOrEqual(100)
      }),
    )
  })

  it('takes the mean of a minute: a burst of the processor does not show at once', () => {
    const method = byCpu(2)
    method.of({ temperature: 30, humidity: 40, cpu: 50 }, 0)
    const burst = (at: number) => method.of({ temperature: 30, humidity: 40, cpu: 60 }, at).temperature_compensated
    expect(burst(1_000)).toBeGreaterThan(19.8)
    expect(burst(61_000)).toBeCloseTo(30 - (60 - 10 * Math.exp(-61 / 60) - 30) / 2, 1)
  })

  it('says nothing where the processor or the sensor does not', () => {
    for (const missing of [{ cpu: null }, { temperature: null }])
      expect(byCpu(2).of({ temperature: 30, humidity: 40, cpu: 50, ...missing }, 0)).toEqual({
        temperature_compensated: null,
        humidity_compensated: null,
        compensation: null,
      })
  })
})

describe('what is configured', () => {
  it('is nothing by default, and then nothing is estimated or announced', () => {
    expect(heatCompensation(settings('none', 2, 3), undefined)).toBeUndefined()
    expect(compensatedKeys(undefined, { keys: ['temperature'] }, { keys: ['cputempc'] })).toEqual([])
  })

  it('may be a fixed offset', () => {
    const method = heatCompensation(settings('offset', 0, 4.5), undefined)
    expect(method?.of({ temperature: 26, humidity: 50, cpu: null }, 0)).toEqual({
      temperature_compensated: 21.5,
      humidity_compensated: expect.closeTo(65.5, 0),
      compensation: 'offset',
    })
  })

  it('takes the calibrated factor unless the settings name one', () => {
    const fitted = { factor: 3, worst: 0, spread: 0 }
    const at = (factor: number) =>
      heatCompensation(settings('cpu', factor), fitted)?.of({ temperature: 30, humidity: 40, cpu: 60 }, 0)
    expect([at(0)?.temperature_compensated, at(6)?.temperature_compensated]).toEqual([20, 25])
  })

  it('without what it needs stops the start', () => {
    expect(() => heatCompensation(settings('cpu'), undefined)).toThrow('nobody has measured the factor')
    expect(() => heatCompensation(settings('offset'), undefined)).toThrow('temperature_offset is 0')
  })

  it('is announced where its inputs are measured', () => {
    const keys = (method: HeatCompensation, host: readonly 'cputempc'[]) =>
      compensatedKeys(method, { keys: ['temperature', 'humidity'] }, { keys: host })
    const offset = heatCompensation(settings('offset', 0, 1), undefined) as HeatCompensation
    const both = ['temperature_compensated', 'humidity_compensated']
    expect([keys(byCpu(2), ['cputempc']), keys(byCpu(2), []), keys(offset, [])]).toEqual([both, [], both])
  })
})

describe('the factor of observations', () => {
  const observation = (reference: number, sensor: number, cpu: number) => ({ reference, sensor, cpu, taken_at: '' })

  it('is found again when the sensor sits a constant share of the way to the processor', () => {
    const airs = fc.array(fc.tuple(celsius(10, 30), celsius(40, 80)), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(celsius(0.05, 0.6), airs, (share, loads) => {
        const fitted = fittedFactor(loads.map(([air, cpu]) => observation(air, air + share * (cpu - air), cpu)))
        expect(fitted?.factor).toBeCloseTo((1 - share) / share, 6)
        expect(fitted?.worst).toBeLessThan(1e-9)
      }),
    )
  })

  it('says by how much it misses, and how far apart the loads were', () => {
    const fitted = fittedFactor([observation(20, 26, 46), observation(20, 30, 60)])
    expect(fitted?.spread).toBe(10)
    expect(fitted?.worst).toBeGreaterThan(0)
  })

  it('is none without observations, or of a sensor that is cooler than the air', () => {
    expect([fittedFactor([]), fittedFactor([observation(25, 24, 50)])]).toEqual([undefined, undefined])
  })
})
