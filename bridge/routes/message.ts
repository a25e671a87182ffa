import { MAX_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE } from '../../src/reading.ts'
import { STREAM } from './forms.ts'
import type { Decoded, DecodedReading, Refused } from './route.ts'

/*
 * What all routes have in common: a payload is one JSON value or an array of them, and each is a reading or is refused for
 * itself. A route says what a reading is.
 */

/** Writing JSON takes stack per level: what is deeper than any sensor's value would fail there, each time it comes back. */
const MAX_NESTING = 64

/** Of one payload. */
export interface MessageLimits {
  readonly bytes: number
  readonly readings: number
}

export const READINGS_LIMITS: MessageLimits = { bytes: MAX_MESSAGE_BYTES, readings: MAX_READINGS_PER_MESSAGE }

/** A value with how it stood in the message. */
export interface Written {
  readonly value: unknown
  /** Its own JSON, where that is known: the whole message, or an element that the reader has cut out of it. */
  readonly text: string | undefined
  /** The bytes of the value; of an element of an array written anew, so that it has no key twice. */
  readonly bytes: () => Buffer
}

export interface MessageReader {
  readonly limits: MessageLimits
  /** Cuts an array into the JSON of its elements, for who needs them as they stand. */
  readonly elements?: (text: string) => readonly string[]
  /** Nothing is wrong with a value: it need not be looked at for its depth. */
  readonly isPlain?: (value: unknown) => boolean
  readonly read: (written: Written) => DecodedReading | Refused
}

/** Never throws. */
export function decodeMessage(payload: Buffer, { limits, elements, isPlain, read }: MessageReader): Decoded {
  const whole = (code: Refused['code'], reason: string): Decoded => ({
    readings: NONE,
    refused: [{ code, reason, payload }],
  })
  if (payload.length > limits.bytes)
    return whole('too_large', `${payload.length} bytes; a message holds at most ${limits.bytes}`)
  const text = payload.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return whole('not_json', 'the payload is not JSON')
  }
  if (!isPlain?.(value) && isDeeper(value, MAX_NESTING))
    return whole('too_large', `nested more than ${MAX_NESTING} levels deep`)
  if (!Array.isArray(value)) {
    const one = read({ value, text, bytes: () => payload })
    return 'json' in one ? { readings: [one], refused: NONE } : { readings: NONE, refused: [one] }
  }
  if (value.length > limits.readings)
    return whole('too_many', `${value.length} readings; a message holds at most ${limits.readings}`)
  const readings: DecodedReading[] = []
  const refused: Refused[] = []
  const texts = elements?.(text)
  for (const [index, element] of value.entries()) {
    const own = texts?.[index]
    const one = read({ value: element, text: own, bytes: () => Buffer.from(own ?? JSON.stringify(element)) })
    if ('json' in one) readings.push(one)
    else refused.push(one)
  }
  return { readings, refused }
}

const NONE: readonly never[] = []

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
  return typeof stream === 'string' && STREAM.test(stream) && Number.isSafeInteger(seq) && Number(seq) >= 1
    ? { stream, seq: Number(seq) }
    : undefined
}
