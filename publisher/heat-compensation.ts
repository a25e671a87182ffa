import { SnowhatError } from '../src/errors.ts'
import type { FittedFactor } from './calibration/temperature-fit.ts'
import type { PublisherSettings } from './config.ts'
import type { CompensatedKey } from './home-assistant/state-values.ts'
import type { HostKey } from './host-metrics.ts'
import { saturationVapourPressure } from './sensors/humid-air.ts'
import type { SensorKey } from './sensors/sensors.ts'

/** What the air at the Pi may be, by a method somebody has configured. `null` where it cannot be told. */
export interface Compensated {
  readonly temperature_compensated: number | null
  readonly humidity_compensated: number | null
  /** Of the method; `null` where there is no value of it. */
  readonly compensation: string | null
}

export interface HeatCompensation {
  /** It takes the temperature of the processor. */
  readonly needsCpu: boolean
  /** `at`: monotonic ms. Called for each reading, in their order. */
  of(measured: Measured, at: number): Compensated
}

/** °C and %RH, as measured. */
export interface Measured {
  readonly temperature: number | null
  readonly humidity: number | null
  readonly cpu: number | null
}

export const NOT_COMPENSATED: Compensated = {
  temperature_compensated: null,
  humidity_compensated: null,
  compensation: null,
}

/** A processor's temperature moves within seconds, the board's within minutes: this is the mean that is used. */
const CPU_MEAN_MS = 60_000
/** °C: more than that is no self-heating any more. */
const MOST = 20

type Settings = Pick<PublisherSettings, 'temperature_compensation' | 'temperature_factor' | 'temperature_offset'>

/** `undefined` when none is configured. Throws `E_CONFIG_INVALID` when what it needs is not there. */
export function heatCompensation(settings: Settings, fitted: FittedFactor | undefined): HeatCompensation | undefined {
  const { temperature_compensation: method, temperature_factor, temperature_offset } = settings
  if (method === 'none') return undefined
  if (method === 'offset') {
    if (temperature_offset > 0) return byOffset(temperature_offset)
    throw new SnowhatError('E_CONFIG_INVALID', 'temperature_compensation is offset, and temperature_offset is 0', {
      hint: 'publisher.temperature_offset is how many °C the sensor reads too high',
    })
  }
  const factor = temperature_factor > 0 ? temperature_factor : fitted?.factor
  if (factor !== undefined) return byProcessor(factor)
  throw new SnowhatError('E_CONFIG_INVALID', 'temperature_compensation is cpu, and nobody has measured the factor', {
    hint: 'snowhat publisher calibrate temperature --reference 21.4, or publisher.temperature_factor',
  })
}

/** What there is to announce: a method whose input this Pi does not measure gives nothing. */
export function compensatedKeys(
  method: HeatCompensation | undefined,
  sensors: { readonly keys: readonly SensorKey[] },
  host: { readonly keys: readonly HostKey[] },
): CompensatedKey[] {
  if (method === undefined || !sensors.keys.includes('temperature')) return []
  if (method.needsCpu && !host.keys.includes('cputempc')) return []
  return ['temperature_compensated', 'humidity_compensated']
}

function byOffset(offset: number): HeatCompensation {
  return {
    needsCpu: false,
    of: ({ temperature, humidity }) =>
      temperature === null ? NOT_COMPENSATED : at('offset', temperature, temperature - offset, humidity),
  }
}

/**
 * T − (T_cpu − T) / factor, with the mean of T_cpu: exact where the sensor sits a constant share of the way from the air to the processor, and
 * both have settled. Within 0 to 20 °C: a processor that is cooler than the sensor does not cool it.
 */
function byProcessor(factor: number): HeatCompensation {
  let mean: number | undefined
  let meanAt = 0
  return {
    needsCpu: true,
    of({ temperature, humidity, cpu }, now) {
      if (cpu === null) return NOT_COMPENSATED
      mean = mean === undefined ? cpu : cpu + (mean - cpu) * Math.exp((meanAt - now) / CPU_MEAN_MS)
      meanAt = now
      if (temperature === null) return NOT_COMPENSATED
      const excess = Math.max(0, Math.min(MOST, (mean - temperature) / factor))
      return at('cpu', temperature, temperature - excess, humidity)
    },
  }
}

/** The water in the air is the same, so its relative humidity is higher where it is cooler; the dew point stays. */
function at(method: string, measured: number, estimated: number, humidity: number | null): Compensated {
  const moved = (percent: number) =>
    Math.min(100, (percent * saturationVapourPressure(measured)) / saturationVapourPressure(estimated))
  return {
    temperature_compensated: estimated,
    humidity_compensated: humidity === null ? null : moved(humidity),
    compensation: method,
  }
}
