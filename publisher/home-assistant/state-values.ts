import type { HaStateClass } from '../../src/home-assistant/document.ts'
import type { HostKey } from '../host-metrics.ts'
import type { SensorKey } from '../sensors/sensors.ts'

/** A value on `state`: what a person sees of it, and how much it has to move to be told at once. */
export interface StateValue {
  /** Key of the reading and of `state`. */
  readonly key: StateKey
  /** What has to be there for it to be measured at all. */
  readonly needs: readonly MeasuredKey[]
  /** Decimals on `state`. */
  readonly decimals: number
  /** A change of this much is published before the interval has passed. Above the sensor's noise; none for slow values. */
  readonly deadband?: number
  /** The change must be that share of the value told last, too: for a noise that grows with the value. */
  readonly deadbandShare?: number
  readonly name: string
  readonly unit?: string
  readonly deviceClass?: string
  readonly stateClass: HaStateClass
  readonly icon?: string
  readonly diagnostic?: true
  /** Home Assistant creates it switched off. */
  readonly off?: true
  /** The raw value whose name this one has, where it is there; the raw one is then called the sensor's. */
  readonly compensates?: StateKey
}

/** Values that are worked out by a method that somebody has configured. */
export type CompensatedKey = 'temperature_compensated' | 'humidity_compensated'
export type MeasuredKey = SensorKey | HostKey | CompensatedKey

export type StateKey =
  | SensorKey
  | CompensatedKey
  | Exclude<HostKey, 'uptime_s' | 'throttled'>
  | 'dew_point'
  | 'pitch'
  | 'roll'
  | 'yaw'
  | 'compass'

const POSE = ['accel_x', 'accel_y', 'accel_z'] as const
const HEADING = [...POSE, 'mag_x', 'mag_y', 'mag_z'] as const

/** What Home Assistant is told, in the order it lists it. */
export const STATE_VALUES: readonly StateValue[] = [
  {
    ...air('temperature_compensated', ['temperature_compensated'], 'Temperature', 'temperature', '°C', 0.2),
    compensates: 'temperature',
  },
  {
    ...air('humidity_compensated', ['humidity_compensated'], 'Humidity', 'humidity', '%', 1),
    compensates: 'humidity',
  },
  air('temperature', ['temperature'], 'Temperature', 'temperature', '°C', 0.2),
  air('humidity', ['humidity'], 'Humidity', 'humidity', '%', 1),
  air('pressure', ['pressure'], 'Pressure', 'atmospheric_pressure', 'hPa', 0.3),
  air('dew_point', ['temperature', 'humidity'], 'Dew point', 'temperature', '°C', 0.6),
  {
    ...air('temperature_pressure', ['temperature_pressure'], 'Temperature (pressure sensor)', 'temperature', '°C', 0.4),
    diagnostic: true,
    off: true,
  },
  angle('pitch', POSE, 'Pitch', 'mdi:axis-x-rotate-clockwise'),
  angle('roll', POSE, 'Roll', 'mdi:axis-y-rotate-clockwise'),
  angle('yaw', HEADING, 'Yaw', 'mdi:axis-z-rotate-clockwise'),
  angle('compass', HEADING, 'Compass heading', 'mdi:compass'),
  ...axes('accel', 'Acceleration', 'g', 3, 0.03, 'mdi:axis-arrow'),
  ...axes('gyro', 'Angular velocity', 'rad/s', 3, 0.05, 'mdi:rotate-orbit'),
  ...axes('mag', 'Magnetic field', 'µT', 1, 5, 'mdi:magnet'),
  // Light is counted, so its noise grows with the root of it; and what the eye notices is a share, not a difference.
  { ...air('illuminance', ['illuminance'], 'Illuminance', 'illuminance', 'lx', 50), decimals: 0, deadbandShare: 0.6 },
  colour('color_red', 'Colour red'),
  colour('color_green', 'Colour green'),
  colour('color_blue', 'Colour blue'),
  colour('color_clear', 'Colour clear'),
  {
    ...health('cputempc', 'CPU temperature', '°C', 'mdi:thermometer'),
    decimals: 1,
    deviceClass: 'temperature',
  },
  health('cpu_percent', 'CPU usage', '%', 'mdi:cpu-64-bit'),
  health('memory_percent', 'Memory usage', '%', 'mdi:memory'),
  { ...health('disk_usage_mb', 'Disk used', 'MiB', 'mdi:harddisk'), deviceClass: 'data_size' },
  { ...health('wifi_rssi_dbm', 'Wi-Fi signal', 'dBm', 'mdi:wifi'), deviceClass: 'signal_strength', off: true },
]

function air(
  key: StateKey,
  needs: readonly MeasuredKey[],
  name: string,
  deviceClass: string,
  unit: string,
  deadband: number,
): StateValue {
  return { key, needs, decimals: 1, deadband, name, unit, deviceClass, stateClass: 'measurement' }
}

function angle(key: StateKey, needs: readonly SensorKey[], name: string, icon: string): StateValue {
  return { key, needs, decimals: 0, deadband: 10, name, unit: '°', stateClass: 'measurement_angle', icon }
}

function axes(
  chip: 'accel' | 'gyro' | 'mag',
  name: string,
  unit: string,
  decimals: number,
  deadband: number,
  icon: string,
): StateValue[] {
  return (['x', 'y', 'z'] as const).map((axis) => {
    const key = `${chip}_${axis}` as const
    const title = `${name} ${axis.toUpperCase()}`
    return { key, needs: [key], decimals, deadband, name: title, unit, stateClass: 'measurement', icon, off: true }
  })
}

function colour(key: SensorKey & StateKey, name: string): StateValue {
  return { key, needs: [key], decimals: 0, name, stateClass: 'measurement', icon: 'mdi:palette', off: true }
}

function health(key: HostKey & StateKey, name: string, unit: string, icon: string): StateValue {
  return { key, needs: [key], decimals: 0, name, unit, stateClass: 'measurement', icon, diagnostic: true }
}
