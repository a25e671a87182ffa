import type { ChipHealth } from './chips/watched-chip.ts'

/** What the chips of a Sense HAT measure, named and in the units of the reading. */
export const SENSOR_KEYS = [
  'temperature',
  'humidity',
  'pressure',
  'temperature_pressure',
  'accel_x',
  'accel_y',
  'accel_z',
  'gyro_x',
  'gyro_y',
  'gyro_z',
  'mag_x',
  'mag_y',
  'mag_z',
  'color_red',
  'color_green',
  'color_blue',
  'color_clear',
  'illuminance',
] as const

export type SensorKey = (typeof SENSOR_KEYS)[number]

/** One value per key; `null` where the chip is absent or did not answer. */
export type SensorValues = { readonly [K in SensorKey]: number | null }

export interface Sensors {
  /** The keys this hardware can measure at all: what is absent is not announced to Home Assistant. */
  readonly keys: readonly SensorKey[]
  /** For people: the board and its chips. */
  readonly board: string
  readonly chips: readonly string[]
  /** Rejects only when nothing could be read; a single chip that fails gives `null` for its values. */
  read(): Promise<SensorValues>
  /** One sentence for each chip that does not do its work now; without anything that changes from reading to reading. */
  readonly problems: readonly string[]
  readonly health: readonly ChipHealth[]
  close(): Promise<void>
}

/** What a board that does not answer measures. */
export const NOTHING_MEASURED: SensorValues = Object.fromEntries(SENSOR_KEYS.map((key) => [key, null])) as SensorValues

const LIGHT_KEYS: ReadonlySet<SensorKey> = new Set([
  'color_red',
  'color_green',
  'color_blue',
  'color_clear',
  'illuminance',
])

/** The keys of a board without and with the colour sensor. */
export const BOARD_KEYS: { readonly v1: readonly SensorKey[]; readonly v2: readonly SensorKey[] } = {
  v1: SENSOR_KEYS.filter((key) => !LIGHT_KEYS.has(key)),
  v2: SENSOR_KEYS,
}
