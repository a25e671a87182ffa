import { MAX_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE } from '../../src/reading.ts'
import type { Topics } from '../../src/topics.ts'
import { faultOf, quotesIfPlain } from './reading-check.ts'
import type { Decoded, DecodedReading, Destination, Refused, Route } from './route.ts'
import { isRow, writeRow } from './row-json.ts'

/** `sensehat/<hostname>/readings` to the table of readings. */
export function senseHatRoute(topics: Topics, destination: Destination): Route {
  return {
    name: 'sensehat',
    ownsHostnames: true,
    destination,
    filter: topics.allReadings,
    matches: topics.isReadings,
    deviceOf: topics.hostnameOfReadings,
    decode: decodeReadings,
  }
}

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
  const text = payload.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return whole('not_json', 'the payload is not JSON')
  }
  const quotes = quotesIfPlain(value)
  if (quotes === undefined && isDeeper(value, MAX_NESTING))
    return whole('too_large', `nested more than ${MAX_NESTING} levels deep`)
  if (!Array.isArray(value)) {
    const plain = quotes !== undefined
    const one = decodeOne(hostname, value, {
      plain,
      isRow: plain && isRow(text, payload, quotes),
      bytes: () => payload,
    })
    return 'json' in one ? { readings: [one], refused: NONE } : { readings: NONE, refused: [one] }
  }
  if (value.length > MAX_READINGS_PER_MESSAGE)
    return whole('too_many', `${value.length} readings; a message holds at most ${MAX_READINGS_PER_MESSAGE}`)
  const readings: DecodedReading[] = []
  const refused: Refused[] = []
  for (const element of value) {
    const one = decodeOne(hostname, element, written(element))
    if ('json' in one) readings.push(one)
    else refused.push(one)
  }
  return { readings, refused }
}

const NONE: readonly never[] = []

/** The JSON of one reading. */
interface Source {
  /** Nothing is wrong with it, and a publisher may have written all its keys. */
  readonly plain: boolean
  /** Its bytes can be a row as they stand. */
  readonly isRow: boolean
  readonly bytes: () => Buffer
}

/** Of an element of an array only its value is known; written anew it has no key twice. */
function written(element: unknown): Source {
  const plain = quotesIfPlain(element) !== undefined
  return { plain, isRow: plain, bytes: () => Buffer.from(JSON.stringify(element)) }
}

function decodeOne(hostname: string, value: unknown, source: Source): DecodedReading | Refused {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { code: 'not_an_object', reason: 'a reading must be a JSON object', payload: source.bytes() }
  // What came, not what a check gives back: that lacks a key called __proto__ [observed, zod 4.6.7].
  const reading = value as Record<string, unknown>
  const position = positionOf(reading)
  const fault = source.plain ? undefined : faultOf(reading)
  if (fault !== undefined)
    return { code: 'wrong_type', reason: fault, payload: source.bytes(), ...(position && { position }) }
  // The topic is the identity: it is what the broker's access rules guard.
  if (reading.hostname !== undefined && reading.hostname !== null && reading.hostname !== hostname) {
    const reason = `the body names ${String(reading.hostname).slice(0, LONGEST_HOSTNAME)}, the topic ${hostname}`
    // Whoever publishes to this topic reads this device's ledger, and numbers what he sends: it is his reading's place.
    return { code: 'other_host', reason, payload: source.bytes(), ...(position && { position }) }
  }
  if (position === undefined && (reading.stream ?? reading.seq ?? undefined) !== undefined)
    return { code: 'wrong_type', reason: 'stream and seq go together', payload: source.bytes() }
  const after = typeof reading.after === 'string' ? reading.after : null
  const named = typeof reading.uuid === 'string'
  const complete = position !== undefined && named && reading.hostname === hostname
  return {
    // Written out: each object made by spreading leaves something old behind [observed, Node 20], with the message it came from.
    position: position && { stream: position.stream, seq: position.seq, after },
    named,
    json:
      complete && source.isRow
        ? source.bytes()
        : // What the bridge adds must not be there, not even as null.
          writeRow({
            ...reading,
            hostname,
            ...(!named && { uuid: undefined }),
            ...(!position && { stream: undefined, seq: undefined }),
          }),
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object' && inner !== null && isDeeper(inner, levels - 1)) return true
  }
  return false
}

/** The place in its stream, when that much of a reading can be read. */
export function positionOf(value: object): { stream: string; seq: number } | undefined {
  const { stream, seq } = value as { stream?: unknown; seq?: unknown }
  return typeof stream === 'string' && /^[0-9a-z]{8}$/.test(stream) && Number.isSafeInteger(seq) && Number(seq) >= 1
    ? { stream, seq: Number(seq) }
    : undefined
}
