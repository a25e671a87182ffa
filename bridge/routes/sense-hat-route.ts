import type { Topics } from '../../src/topics.ts'
import { decodeMessage, positionOf, READINGS_LIMITS, type Written } from './message.ts'
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

export function decodeReadings(hostname: string, payload: Buffer): Decoded {
  // Asked for the whole of a message and again for its one reading: the answer is kept.
  let asked: { readonly value: unknown; readonly quotes: number | undefined } | undefined
  const quotesOf = (value: unknown): number | undefined => {
    if (asked === undefined || asked.value !== value) asked = { value, quotes: quotesIfPlain(value) }
    return asked.quotes
  }
  return decodeMessage(payload, {
    limits: READINGS_LIMITS,
    isPlain: (value) => quotesOf(value) !== undefined,
    read: (written) => decodeOne(hostname, written, payload, quotesOf(written.value)),
  })
}

/** `quotes`: of its JSON at least, when nothing is wrong with it and a publisher may have written all its keys. */
function decodeOne(
  hostname: string,
  { value, text, bytes }: Written,
  payload: Buffer,
  quotes: number | undefined,
): DecodedReading | Refused {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { code: 'not_an_object', reason: 'a reading must be a JSON object', payload: bytes() }
  // What came, not what a check gives back: that lacks a key called __proto__ [observed, zod 4.6.7].
  const reading = value as Record<string, unknown>
  const position = positionOf(reading)
  const fault = quotes !== undefined ? undefined : faultOf(reading)
  if (fault !== undefined) return { code: 'wrong_type', reason: fault, payload: bytes(), ...(position && { position }) }
  // The topic is the identity: it is what the broker's access rules guard.
  if (reading.hostname !== undefined && reading.hostname !== null && reading.hostname !== hostname) {
    const reason = `the body names ${String(reading.hostname).slice(0, LONGEST_HOSTNAME)}, the topic ${hostname}`
    // Whoever publishes to this topic reads this device's ledger, and numbers what he sends: it is his reading's place.
    return { code: 'other_host', reason, payload: bytes(), ...(position && { position }) }
  }
  if (position === undefined && (reading.stream ?? reading.seq ?? undefined) !== undefined)
    return { code: 'wrong_type', reason: 'stream and seq go together', payload: bytes() }
  const after = typeof reading.after === 'string' ? reading.after : null
  const named = typeof reading.uuid === 'string'
  const complete = position !== undefined && named && reading.hostname === hostname
  // Written anew, an element of an array has each key once.
  const isAsItStands = complete && quotes !== undefined && (text === undefined || isRow(text, payload, quotes))
  return {
    // Written out: each object made by spreading leaves something old behind [observed, Node 20], with the message it came from.
    position: position && { stream: position.stream, seq: position.seq, after },
    named,
    json: isAsItStands
      ? bytes()
      : // What the bridge adds must not be there, not even as null.
        writeRow({
          ...reading,
          hostname,
          ...(!named && { uuid: undefined }),
          ...(!position && { stream: undefined, seq: undefined }),
        }),
  }
}
