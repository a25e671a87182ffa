import { Doubling } from '../src/doubling.ts'
import { messageOf } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import { type MeasuredKey, type Reading, rounded, timesOf } from '../src/reading.ts'
import type { Moment } from './clock-wait.ts'
import { type HeatCompensation, NOT_COMPENSATED } from './heat-compensation.ts'
import { type HostMetrics, type HostValues, NOTHING_KNOWN } from './host-metrics.ts'
import type { Identity } from './identity.ts'
import { orientation } from './orientation/measured-pose.ts'
import type { TrackedPose } from './orientation/pose-tracker.ts'
import { dewPoint } from './sensors/humid-air.ts'
import { DEGREE, fullCircle } from './sensors/rotation.ts'
import { NOTHING_MEASURED, type Sensors, type SensorValues } from './sensors/sensors.ts'

export interface MeasureDeps {
  readonly log: Log
  readonly sensors: Sensors
  readonly host: HostMetrics
  /** Who follows the pose; without, it is that of gravity and field in each reading. */
  readonly follower?: { readonly pose: TrackedPose } | undefined
  /** Degrees that true north is east of magnetic north; the follower knows it by itself. */
  readonly declination?: number
  readonly compensation?: Compensation | undefined
}

/** Of the sensor's self-heating. */
export interface Compensation {
  readonly method: HeatCompensation
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface ReadingMaker {
  /** Takes the next reading of the stream, now. Never rejects: what fails is `null`, counted and logged. */
  take(now: Omit<Moment, 'takenAt'>): Promise<Reading>
  /** Readings for which the sensors did not answer at all. */
  readonly sensorFailures: number
  /** True while the last reading was such a one. */
  readonly failing: boolean
}

/** Makes complete readings: every key is there, `null` where nothing was measured. */
export function createReadingMaker(
  identity: Identity,
  stream: string,
  simulated: boolean,
  deps: MeasureDeps,
): ReadingMaker {
  let seq = 0
  const failures = new Doubling()
  let failing = false

  const readSensors = async (): Promise<SensorValues> => {
    try {
      const values = await deps.sensors.read()
      if (failing) deps.log.info({ failures: failures.times }, 'the sensors answer again')
      failing = false
      return values
    } catch (error) {
      failing = true
      const reason = messageOf(error)
      failures.when((times) =>
        deps.log.warn({ failures: times, reason }, 'the sensors did not answer, their values are null'),
      )
      return NOTHING_MEASURED
    }
  }

  return {
    get sensorFailures() {
      return failures.times
    },
    get failing() {
      return failing
    },
    async take({ epochMs, clock }) {
      const [sensors, host] = await Promise.all([readSensors(), deps.host.read().catch(() => NOTHING_KNOWN)])
      const pose = deps.follower?.pose ?? poseIn(sensors, deps.declination ?? 0)
      seq++
      const uuid = `${identity.hostname}-${stream}-${seq}`
      const { compact, ...times } = timesOf(epochMs)
      return {
        uuid,
        rowid: `${compact}_${uuid}`,
        hostname: identity.hostname,
        stream,
        seq,
        ipaddress: identity.ipaddress,
        macaddress: identity.macaddress,
        serial: identity.serial,
        ...times,
        clock,
        ...roundedAll(withoutBias(sensors, pose)),
        ...compensated(sensors, host, deps.compensation),
        ...derived(sensors, pose),
        ...ofHost(host),
        simulated,
        privacy: null,
      }
    },
  }
}

/** The pose of gravity and field alone. Its yaw and the compass are one thing. */
function poseIn(values: SensorValues, declination: number): TrackedPose {
  const accel = vector(values.accel_x, values.accel_y, values.accel_z)
  const pose = accel && orientation(accel, vector(values.mag_x, values.mag_y, values.mag_z))
  const magnetic = pose?.yaw ?? null
  const heading = magnetic === null ? null : fullCircle((magnetic + declination) * DEGREE)
  return { orientation: pose && { ...pose, yaw: heading }, compass: heading, gyroBias: null }
}

function withoutBias(values: SensorValues, { gyroBias }: TrackedPose): SensorValues {
  if (gyroBias === null) return values
  const less = (value: number | null, bias: number) => (value === null ? null : value - bias)
  return {
    ...values,
    gyro_x: less(values.gyro_x, gyroBias.x),
    gyro_y: less(values.gyro_y, gyroBias.y),
    gyro_z: less(values.gyro_z, gyroBias.z),
  }
}

function compensated(values: SensorValues, host: HostValues, compensation: Compensation | undefined) {
  if (compensation === undefined) return NOT_COMPENSATED
  const measured = { temperature: values.temperature, humidity: values.humidity, cpu: host.cputempc }
  const { compensation: method, ...estimated } = compensation.method.of(measured, compensation.now())
  return { ...roundedAll(estimated), compensation: method }
}

/** What follows from the measured values: dew point and pose. */
function derived({ temperature, humidity }: SensorValues, { orientation: pose, compass }: TrackedPose) {
  return roundedAll({
    dew_point: temperature === null || humidity === null ? null : dewPoint(temperature, humidity),
    pitch: pose?.pitch ?? null,
    roll: pose?.roll ?? null,
    yaw: pose?.yaw ?? null,
    compass,
  })
}

function ofHost(host: HostValues) {
  const { uptime_s, throttled, ...measured } = host
  return {
    ...roundedAll({ ...measured, cputempf: host.cputempc === null ? null : host.cputempc * 1.8 + 32 }),
    uptime_s,
    throttled,
  }
}

/** Angles round to 360 just below a full turn; that is 0 again. */
const TURNS: ReadonlySet<string> = new Set(['pitch', 'roll', 'yaw', 'compass'])

function roundedAll<K extends MeasuredKey>(values: { readonly [P in K]: number | null }): { [P in K]: number | null } {
  const result = {} as { [P in K]: number | null }
  for (const key of Object.keys(values) as K[]) {
    const value = rounded(key, values[key])
    result[key] = value === 360 && TURNS.has(key) ? 0 : value
  }
  return result
}

function vector(x: number | null, y: number | null, z: number | null) {
  return x === null || y === null || z === null ? null : { x, y, z }
}
