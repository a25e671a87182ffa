import type { Axes, Reading, RefusalReason } from './message.ts'
import { faultOfSize } from './reading-size.ts'
import { hasThreeAxes } from './sensors.ts'

/**
 * No phone's sensor measures beyond (16 g are 157 m/s², the Earth's field is 65 µT), and squares and sums of values up to here
 * stay finite.
 */
const LARGEST_AXIS = 1e6
const AXES = ['x', 'y', 'z'] as const

/** The name of a reading's sensor; `undefined` when it has none. */
export function sensorOf(reading: unknown): string | undefined {
  if (!isRecord(reading)) return undefined
  return typeof reading.name === 'string' && reading.name !== '' ? reading.name : undefined
}

/** `digits`: those of the reading's `time` in the message's text, where they are known. Never throws. */
export function judgeReading(index: number, reading: unknown, digits: string | undefined): Reading | RefusalReason {
  if (!isRecord(reading)) return 'not-an-object'
  const size = faultOfSize(reading)
  if (size !== undefined) return size
  const sensor = sensorOf(reading)
  if (sensor === undefined) return 'no-name'
  const { time, values, accuracy } = reading
  if (time === undefined || time === null) return 'no-time'
  const exact = typeof time === 'number' ? exactTime(time, digits) : undefined
  if (exact === undefined) return 'bad-time'
  if (values === undefined || values === null) return 'no-values'
  if (typeof values !== 'object') return 'bad-values'
  const axes = hasThreeAxes(sensor) ? judgeAxes(values as Record<string, unknown>) : undefined
  if (typeof axes === 'string') return axes
  return {
    index,
    sensor,
    ...exact,
    values: values as Reading['values'],
    ...(axes !== undefined && { axes }),
    ...(Number.isSafeInteger(accuracy) && { accuracy: accuracy as number }),
  }
}

function exactTime(time: number, digits: string | undefined): Pick<Reading, 'tUs' | 'timeNs'> | undefined {
  if (!Number.isFinite(time)) return undefined
  const exact = digits !== undefined && Number(digits) === time ? digits : undefined
  // All but none: rounding down is leaving digits out, and costs no large integers.
  if (exact !== undefined && time >= 1000) {
    const tUs = Number(exact.slice(0, -3))
    return Number.isSafeInteger(tUs) ? { tUs, timeNs: exact } : undefined
  }
  const ns = BigInt(exact ?? Math.floor(time))
  const tUs = Number(ns >= 0n ? ns / 1000n : -((999n - ns) / 1000n))
  return Number.isSafeInteger(tUs) ? { tUs, timeNs: String(ns) } : undefined
}

function judgeAxes(values: Readonly<Record<string, unknown>>): Axes | RefusalReason {
  for (const name of AXES) {
    const axis = values[name]
    if (axis === undefined) return 'missing-axis'
    if (axis === null) return 'null-axis'
    if (typeof axis !== 'number') return 'not-a-number'
    // 1e999 is read as infinity.
    if (Math.abs(axis) > LARGEST_AXIS) return 'out-of-range'
  }
  return { x: values.x as number, y: values.y as number, z: values.z as number }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
