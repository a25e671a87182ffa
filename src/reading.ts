/**
 * A reading: what one Pi measured at one moment. This table is its one definition; the TypeScript type,
 * the publisher's rounding, the bridge's validation, the columns of the Snowflake table and the table in
 * the docs all follow from it (tests hold `sql/` and `docs/` to it).
 */

/** What a value is in JSON, and what can be done with it. */
export type FieldKind = 'string' | 'integer' | 'number' | 'boolean' | 'timestamp'

export interface Field {
  /** JSON key and, whatever the case, column name. */
  readonly key: string
  readonly kind: FieldKind
  /** May be `null`: could not be measured, or is not configured. */
  readonly nullable?: boolean
  /** May be left out by a publisher. */
  readonly optional?: boolean
  /** Written by the bridge, never by a publisher. */
  readonly byBridge?: boolean
  /** Decimals a publisher keeps: fine enough for the sensor's resolution. */
  readonly decimals?: number
  readonly unit?: string
  readonly doc: string
}

/** The exposure changes with the light; counts are brought to one, so that they can be compared. */
const COUNTS = 'Sense HAT v2 only; as at gain 16 and 24 ms'

/** Field order is column order; the first 31 without `byBridge` are those of the first system. */
export const FIELDS = [
  {
    key: 'uuid',
    kind: 'string',
    doc: "`<hostname>-<stream>-<seq>`: the reading's identity, the same on every redelivery",
  },
  { key: 'rowid', kind: 'string', nullable: true, doc: '`<YYYYMMDDHHMMSS>_<uuid>`' },
  { key: 'hostname', kind: 'string', doc: 'device key: topic level, channel name, Home Assistant node' },
  { key: 'ipaddress', kind: 'string', nullable: true, doc: 'IPv4 or IPv6 address of the device' },
  { key: 'macaddress', kind: 'string', nullable: true, doc: 'MAC address of the device' },
  { key: 'ts', kind: 'integer', nullable: true, unit: 's', doc: 'time of measuring, seconds since 1970' },
  { key: 'datetimestamp', kind: 'timestamp', nullable: true, doc: 'time of measuring, ISO 8601 UTC, milliseconds' },
  { key: 'systemtime', kind: 'string', nullable: true, doc: 'time of measuring, `MM/DD/YYYY HH:MM:SS`, UTC' },
  measured('temperature', '°C', 2, 'as the HTS221 says: the board is warmer than the room'),
  measured('humidity', '%RH', 2, 'as the HTS221 says'),
  measured('pressure', 'hPa', 3, 'as the LPS25H says, not reduced to sea level'),
  measured('pitch', '°', 2, '0 ≤ x < 360'),
  measured('roll', '°', 2, '0 ≤ x < 360'),
  measured('yaw', '°', 2, '0 ≤ x < 360'),
  measured('accel_x', 'g', 4, 'acceleration'),
  measured('accel_y', 'g', 4, 'acceleration'),
  measured('accel_z', 'g', 4, 'acceleration'),
  measured('gyro_x', 'rad/s', 4, 'rate of turn'),
  measured('gyro_y', 'rad/s', 4, 'rate of turn'),
  measured('gyro_z', 'rad/s', 4, 'rate of turn'),
  measured('mag_x', 'µT', 3, 'magnetic field'),
  measured('mag_y', 'µT', 3, 'magnetic field'),
  measured('mag_z', 'µT', 3, 'magnetic field'),
  measured('compass', '°', 2, 'tilt-compensated heading, 0 ≤ x < 360'),
  measured('cpu_percent', '%', 1, 'processor load'),
  measured('memory_percent', '%', 1, 'memory that programs cannot have any more'),
  measured('disk_usage_mb', 'MiB', 1, 'used on the root file system'),
  measured('cputempc', '°C', 1, 'processor temperature'),
  measured('cputempf', '°F', 1, 'processor temperature'),
  { key: 'simulated', kind: 'boolean', nullable: true, doc: 'true only for the simulator' },
  {
    key: 'ingestion_timestamp',
    kind: 'timestamp',
    byBridge: true,
    doc: 'when the bridge froze the batch for sending, ISO 8601 UTC',
  },
  { key: 'stream', kind: 'string', doc: 'one run of the publisher: 8 of [0-9a-z], new at every start' },
  { key: 'seq', kind: 'integer', doc: 'rises by one per reading in the stream, from 1' },
  {
    key: 'after',
    kind: 'string',
    nullable: true,
    optional: true,
    doc: '`<stream>.<seq>` of the reading before this one, when that is not (stream, seq−1)',
  },
  { key: 'clock', kind: 'string', nullable: true, doc: '`synced`, `corrected` or `unsynced`' },
  { key: 'serial', kind: 'string', nullable: true, doc: 'serial number of the Pi' },
  measured('temperature_pressure', '°C', 2, "the LPS25H's own thermometer"),
  measured('temperature_compensated', '°C', 2, 'only when compensation is configured'),
  measured('humidity_compensated', '%RH', 2, 'only when compensation is configured'),
  { key: 'compensation', kind: 'string', nullable: true, doc: 'name of the compensation method' },
  measured('dew_point', '°C', 2, 'Magnus formula, from raw temperature and humidity'),
  measured('color_red', 'counts', 0, COUNTS),
  measured('color_green', 'counts', 0, COUNTS),
  measured('color_blue', 'counts', 0, COUNTS),
  measured('color_clear', 'counts', 0, COUNTS),
  measured('illuminance', 'lx', 1, 'Sense HAT v2 only'),
  { key: 'uptime_s', kind: 'integer', nullable: true, unit: 's', doc: 'since the Pi started' },
  measured('wifi_rssi_dbm', 'dBm', 0, 'signal strength of the wireless link'),
  { key: 'throttled', kind: 'integer', nullable: true, doc: "the firmware's throttling bits" },
  { key: 'privacy', kind: 'string', nullable: true, doc: 'what was left out or hashed, when configured' },
  {
    key: 'bridge_received_at',
    kind: 'timestamp',
    byBridge: true,
    doc: 'when the bridge received it, ISO 8601 UTC',
  },
] as const satisfies readonly Field[]

function measured<K extends string>(key: K, unit: string, decimals: number, doc: string) {
  return { key, kind: 'number', nullable: true, unit, decimals, doc } as const
}

type Value<F extends Field> =
  | (F['kind'] extends 'boolean' ? boolean : F['kind'] extends 'number' | 'integer' ? number : string)
  | (F extends { nullable: true } ? null : never)

type Known = (typeof FIELDS)[number]
type FromPublisher = Exclude<Known, { byBridge: true }>

/** A reading as a publisher sends it. */
export type Reading = { [F in Exclude<FromPublisher, { optional: true }> as F['key']]: Value<F> } & {
  [F in Extract<FromPublisher, { optional: true }> as F['key']]?: Value<F>
}

/** A row of the table: a reading, what the bridge adds, and what it did not know. */
export type Row = Reading & {
  [F in Extract<Known, { byBridge: true }> as F['key']]: string
} & { readonly extra?: Readonly<Record<string, unknown>> }

/** The keys whose values are measurements with a unit. */
export type MeasuredKey = Extract<Known, { kind: 'number' }>['key']

/** One message on `readings` holds at most this many readings … */
export const MAX_READINGS_PER_MESSAGE = 200
/** … and this many bytes. */
export const MAX_MESSAGE_BYTES = 128 * 1024

/** A value rounded to the decimals its field keeps; `null` stays `null`, what is not finite becomes `null`. */
export function rounded(key: MeasuredKey, value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null
  const scale = 10 ** (DECIMALS.get(key) ?? 4)
  const result = Math.round(value * scale) / scale
  return result === 0 ? 0 : result
}

const DECIMALS: ReadonlyMap<string, number> = new Map(
  FIELDS.flatMap((field) => ('decimals' in field ? [[field.key, field.decimals] as const] : [])),
)

/** Bytes of one message: a single reading as an object, several as an array, oldest first. */
export function encodeReadings(readings: readonly object[]): string {
  const [only] = readings
  return readings.length === 1 && only !== undefined ? JSON.stringify(only) : JSON.stringify(readings)
}

/** `YYYYMMDDHHMMSS`, `MM/DD/YYYY HH:MM:SS` and ISO 8601 of one moment, all UTC. */
export function timesOf(epochMs: number): {
  ts: number
  datetimestamp: string
  systemtime: string
  compact: string
} {
  const iso = new Date(epochMs).toISOString()
  const [year, month, day, time] = [iso.slice(0, 4), iso.slice(5, 7), iso.slice(8, 10), iso.slice(11, 19)]
  return {
    ts: Math.floor(epochMs / 1000),
    datetimestamp: iso,
    systemtime: `${month}/${day}/${year} ${time}`,
    compact: `${year}${month}${day}${time.replaceAll(':', '')}`,
  }
}
