import { SnowhatError } from '../../src/errors.ts'
import type { CalibrationDeps } from './calibrate-magnetometer.ts'
import type { TemperatureObservation } from './calibration-file.ts'

/** °C of the sensor and of the processor at one moment; `null` where it was not measured. */
export interface HeatSample {
  readonly sensor: number | null
  readonly cpu: number | null
}

export interface ObservedHeat {
  readonly observation: TemperatureObservation
  /** °C a minute by which the sensor was still getting warmer. */
  readonly drift: number
}

/** The mean of a minute: the processor's temperature moves within seconds. */
const SAMPLES = 60
const SAMPLE_EVERY_MS = 1_000

/**
 * Sensor and processor beside a reference thermometer of `reference` °C, for a minute. `undefined` when the signal was aborted.
 * Rejects with `E_NO_SENSE_HAT` when the sensor does not say its temperature, with `E_FILE_UNREADABLE` when the processor does not.
 */
export async function observeTemperature(
  reference: number,
  read: () => Promise<HeatSample>,
  tell: (sample: HeatSample, left: number) => void,
  { clock, signal }: CalibrationDeps,
): Promise<ObservedHeat | undefined> {
  const sensors: number[] = []
  const cpus: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    const one = await read()
    if (one.sensor === null)
      throw new SnowhatError('E_NO_SENSE_HAT', 'the temperature of the sensor cannot be read', {
        hint: '`snowhat publisher probe` shows what is on the bus',
      })
    if (one.cpu === null)
      throw new SnowhatError('E_FILE_UNREADABLE', 'this machine does not tell the temperature of its processor', {
        hint: 'the method cpu needs it; publisher.temperature_offset does not',
      })
    sensors.push(one.sensor)
    cpus.push(one.cpu)
    tell(one, SAMPLES - sample - 1)
    await clock.sleep(SAMPLE_EVERY_MS, signal).catch(() => undefined)
    if (signal.aborted) return undefined
  }
  const half = SAMPLES / 2
  const minutes = (half * SAMPLE_EVERY_MS) / 60_000
  return {
    observation: {
      reference,
      sensor: hundredths(mean(sensors)),
      cpu: hundredths(mean(cpus)),
      taken_at: new Date(clock.now()).toISOString(),
    },
    drift: (mean(sensors.slice(half)) - mean(sensors.slice(0, half))) / minutes,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Digits below are noise, and people read the file. */
function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}
