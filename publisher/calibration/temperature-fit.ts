import type { TemperatureObservation } from './calibration-file.ts'

/** How the sensor's excess over the air follows the processor's excess over the sensor. */
export interface FittedFactor {
  /** (T_cpu − T) / (T − T_air): the larger, the less the processor heats the sensor. */
  readonly factor: number
  /** °C by which the estimates of the observations miss their references, at most. */
  readonly worst: number
  /** °C between the least and the largest excess of the processor over the sensor: how much of the line was seen. */
  readonly spread: number
}

/**
 * The line through zero nearest to the observations: T − T_air = (T_cpu − T) / factor. `undefined` when they tell none: there are none,
 * or the sensor is not warmer than the air.
 */
export function fittedFactor(observations: readonly TemperatureObservation[]): FittedFactor | undefined {
  const points = observations.map(({ reference, sensor, cpu }) => ({ excess: sensor - reference, drive: cpu - sensor }))
  const drives = points.map(({ drive }) => drive)
  const squares = drives.reduce((sum, drive) => sum + drive * drive, 0)
  const slope = points.reduce((sum, { excess, drive }) => sum + excess * drive, 0) / squares
  if (!(slope > 0) || !Number.isFinite(slope)) return undefined
  return {
    factor: 1 / slope,
    worst: Math.max(...points.map(({ excess, drive }) => Math.abs(excess - slope * drive))),
    spread: Math.max(...drives) - Math.min(...drives),
  }
}
