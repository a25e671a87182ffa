import { exactTimes } from './exact-times.ts'
import { isRecord, judgeReading, sensorOf } from './judge-reading.ts'
import type { Axes, EnvelopeFault, Parsed, Reading, RefusedReading } from './message.ts'

/** A name this long is no name of a phone or a recording. */
const LONGEST_ID = 256

/**
 * One message of the phone app, by HTTP or by MQTT. A bad reading says nothing about its neighbours. Never throws: what is no
 * message comes back with a sentence that says why.
 *
 * @param keeps whether readings of a sensor are wanted; those of others are counted only
 */
export function parseMessage(text: string, keeps: (sensor: string) => boolean): Parsed {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return fault('not-json', 'the body is not JSON')
  }
  if (!isRecord(body)) return fault('not-an-object', 'the body is not a JSON object')
  const { deviceId, sessionId, messageId, userId, payload } = body
  if (!isId(deviceId)) return fault('no-device-id', 'deviceId is missing, or is not a text of 1 to 256 characters')
  if (!isId(sessionId)) return fault('no-session-id', 'sessionId is missing, or is not a text of 1 to 256 characters')
  if (!Array.isArray(payload)) return fault('no-payload', 'payload is missing, or is not an array')
  const isTest = payload.length === 0 || (payload.length === 1 && sensorOf(payload[0]) === 'test')
  return {
    ok: true,
    message: {
      deviceId,
      sessionId,
      messageId: Number.isSafeInteger(messageId) ? (messageId as number) : null,
      ...(isId(userId) && { userId }),
      isTest,
      size: payload.length,
      ...(isTest ? { readings: [], refused: [], dropped: 0, duplicates: 0 } : judged(text, payload, keeps)),
    },
  }
}

function judged(text: string, payload: readonly unknown[], keeps: (sensor: string) => boolean) {
  const times = exactTimes(text)
  const readings: Reading[] = []
  const refused: RefusedReading[] = []
  const seen = new Duplicates()
  let dropped = 0
  let duplicates = 0
  for (const [index, reading] of payload.entries()) {
    const sensor = sensorOf(reading)
    if (sensor !== undefined && !keeps(sensor)) {
      dropped++
      continue
    }
    const verdict = judgeReading(index, reading, times[index])
    if (typeof verdict === 'string') refused.push({ index, reason: verdict, reading })
    else if (seen.has(verdict)) duplicates++
    else readings.push(verdict)
  }
  return { readings, refused, dropped, duplicates }
}

/** Readings the app has put twice into one message [documented]: same sensor, time and axes. */
class Duplicates {
  readonly #firsts = new Map<string, Map<number, Axes>>()
  /** Those that were not the first of their sensor and time: hardly ever any. */
  readonly #others = new Set<string>()

  /** Remembers the reading if it is new. */
  has({ axes, sensor, tUs }: Reading): boolean {
    if (axes === undefined) return false
    let firsts = this.#firsts.get(sensor)
    if (firsts === undefined) {
      firsts = new Map()
      this.#firsts.set(sensor, firsts)
    }
    const first = firsts.get(tUs)
    if (first === undefined) {
      firsts.set(tUs, axes)
      return false
    }
    if (first.x === axes.x && first.y === axes.y && first.z === axes.z) return true
    const key = `${sensor} ${tUs} ${axes.x} ${axes.y} ${axes.z}`
    if (this.#others.has(key)) return true
    this.#others.add(key)
    return false
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_ID
}

function fault(name: EnvelopeFault, sentence: string): Parsed {
  return { ok: false, fault: name, sentence }
}
