/** Sensors whose `values` are x, y and z, all three needed. Source: the app's UNITS.md and PUSHING.md [documented]. */
const THREE_AXIS: ReadonlySet<string> = new Set([
  'accelerometer',
  'gravity',
  'totalacceleration',
  'accelerometeruncalibrated',
  'gyroscope',
  'gyroscopeuncalibrated',
  'magnetometer',
  'magnetometeruncalibrated',
])

export function hasThreeAxes(sensor: string): boolean {
  return THREE_AXIS.has(sensor)
}

/** Which sensors are kept. */
export interface SensorChoice {
  /** Only these; without it, all. */
  readonly only?: readonly string[]
  /** Never these, whatever `only` says. */
  readonly drop: readonly string[]
}

/** Everything but pictures: one is larger than an hour of everything else. */
export const DEFAULT_SENSORS: SensorChoice = { drop: ['camera'] }

export function sensorFilter({ only, drop }: SensorChoice): (sensor: string) => boolean {
  const wanted = only === undefined ? undefined : new Set(only)
  const unwanted = new Set(drop)
  return (sensor) => !unwanted.has(sensor) && (wanted === undefined || wanted.has(sensor))
}
