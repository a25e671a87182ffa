import { z } from 'zod'
import { FIELDS, type Field, type FieldKind, MAX_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE } from '../src/reading.ts'
import type { Topics } from '../src/topics.ts'
import type { Decoded, DecodedReading, Refused, Route } from './route.ts'

/** `sensehat/<hostname>/readings` to the table of readings. */
export function senseHatRoute(topics: Topics): Route {
  return {
    name: 'sensehat',
    filter: topics.allReadings,
    matches: topics.isReadings,
    deviceOf: topics.hostnameOfReadings,
    decode: decodeReadings,
  }
}

const KIND: Readonly<Record<FieldKind, z.ZodType>> = {
  string: z.string(),
  // JSON has no NaN, but 1e999 parses to Infinity: z.number() refuses both.
  number: z.number(),
  integer: z.int(),
  boolean: z.boolean(),
  // What Snowflake would refuse row by row is better refused here, where the original bytes are kept.
  timestamp: z
    .string()
    .regex(
      /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/,
      'must be an ISO 8601 time',
    ),
}

/**
 * Every field may be missing or null, whoever publishes: other people's publishers know only some of them, and
 * a null is what a failed sensor gives. What is there must be of its type. Keys unknown to us pass.
 */
const readingSchema = z.looseObject({
  ...Object.fromEntries((FIELDS as readonly Field[]).map((field) => [field.key, KIND[field.kind].nullish()])),
  stream: z
    .string()
    .regex(/^[0-9a-z]{8}$/, 'must be 8 of [0-9a-z]')
    .nullish(),
  seq: z.int().min(1).nullish(),
  after: z
    .string()
    .regex(/^[0-9a-z]{8}\.\d+$/, 'must be <stream>.<seq>')
    .nullish(),
})

const KNOWN: ReadonlySet<string> = new Set(FIELDS.map((field) => field.key))
const BY_BRIDGE: ReadonlySet<string> = new Set(
  (FIELDS as readonly Field[]).filter((field) => field.byBridge).map((field) => field.key),
)

/** Of a name in a sentence; more would be no name. */
const LONGEST_HOSTNAME = 80

/** Writing JSON takes stack per level: what is deeper than any sensor's value would fail there, each time it comes back. */
const MAX_NESTING = 64

export function decodeReadings(hostname: string, payload: Buffer): Decoded {
  const whole = (code: Refused['code'], reason: string): Decoded => ({
    readings: [],
    refused: [{ code, reason, payload }],
  })
  if (payload.length > MAX_MESSAGE_BYTES)
    return whole('too_large', `${payload.length} bytes; a message holds at most ${MAX_MESSAGE_BYTES}`)
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    return whole('not_json', 'the payload is not JSON')
  }
  if (isDeeper(value, MAX_NESTING)) return whole('too_large', `nested more than ${MAX_NESTING} levels deep`)
  if (!Array.isArray(value)) {
    const one = decodeOne(hostname, value, payload)
    return 'row' in one ? { readings: [one], refused: [] } : { readings: [], refused: [one] }
  }
  if (value.length > MAX_READINGS_PER_MESSAGE)
    return whole('too_many', `${value.length} readings; a message holds at most ${MAX_READINGS_PER_MESSAGE}`)
  const readings: DecodedReading[] = []
  const refused: Refused[] = []
  for (const element of value) {
    const one = decodeOne(hostname, element, Buffer.from(JSON.stringify(element)))
    if ('row' in one) readings.push(one)
    else refused.push(one)
  }
  return { readings, refused }
}

function decodeOne(hostname: string, value: unknown, payload: Buffer): DecodedReading | Refused {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { code: 'not_an_object', reason: 'a reading must be a JSON object', payload }
  const parsed = readingSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const position = positionOf(value)
    return {
      code: 'wrong_type',
      reason: `${issue?.path.join('.') ?? 'a value'}: ${issue?.message ?? 'not of its type'}`,
      payload,
      ...(position && { position }),
    }
  }
  // What came, not what the check gives back: that lacks a key called __proto__ [observed, zod 4.6.7].
  const reading = value as Record<string, unknown>
  // The topic is the identity: it is what the broker's access rules guard.
  const position = positionOf(reading)
  if (reading.hostname !== undefined && reading.hostname !== null && reading.hostname !== hostname) {
    const reason = `the body names ${String(reading.hostname).slice(0, LONGEST_HOSTNAME)}, the topic ${hostname}`
    // Whoever publishes to this topic reads this device's ledger, and numbers what he sends: it is his reading's place.
    return { code: 'other_host', reason, payload, ...(position && { position }) }
  }
  if (position === undefined && (reading.stream ?? reading.seq ?? undefined) !== undefined)
    return { code: 'wrong_type', reason: 'stream and seq go together', payload }
  const after = typeof reading.after === 'string' ? reading.after : null
  return { position: position && { ...position, after }, row: rowOf(hostname, reading) }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** Known keys in column order, unknown ones under `extra`. What only the bridge may write is left out. */
function rowOf(hostname: string, reading: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const field of FIELDS) {
    const value = field.key === 'hostname' ? hostname : reading[field.key]
    if (value !== undefined && !BY_BRIDGE.has(field.key)) row[field.key] = value
  }
  // No prototype: a key may be called __proto__.
  const extra: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(reading)) {
    if (KNOWN.has(key)) continue
    if (key === 'extra' && typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.assign(extra, value)
    else extra[key] = value
  }
  if (Object.keys(extra).length > 0) row.extra = extra
  return row
}

/** The place in its stream, when that much of a reading can be read. */
export function positionOf(value: object): { stream: string; seq: number } | undefined {
  const { stream, seq } = value as { stream?: unknown; seq?: unknown }
  return typeof stream === 'string' && /^[0-9a-z]{8}$/.test(stream) && Number.isSafeInteger(seq) && Number(seq) >= 1
    ? { stream, seq: Number(seq) }
    : undefined
}
