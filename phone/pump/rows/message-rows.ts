import type { Message, Reading } from '../../wire/message.ts'

/** About a message, for its rows. */
export interface Arrival {
  readonly message: Message
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly source: string
}

/** Of `payload` and `sensors` in one row: with the rest of the row they must fit into one message to the bridge. */
const PAYLOAD_BYTES = 96 * 1024
/** Of a number in `sensors`, and what stands around it. */
const COUNT_BYTES = 8

/** The mode `messages`: one row per message, several where it is long (`part` of `parts`). JSON texts without the braces around. */
export function messageRows({ message, receivedAt, source }: Arrival): string[] {
  const { deviceId, sessionId, userId, messageId, readings } = message
  if (readings.length === 0) return []
  const parts = split(readings)
  const about = fields({
    deviceId,
    sessionId,
    userId: userId ?? null,
    messageId,
    source,
    received_at: new Date(receivedAt).toISOString(),
    clock_skew_ms: receivedAt - Math.floor(latest(readings) / 1_000),
  })
  return parts.map(({ readings: some, texts }, index) => {
    const times = some.map(({ tUs }) => tUs)
    const own = fields({
      part: index + 1,
      parts: parts.length,
      t_min: isoMicros(least(times)),
      t_max: isoMicros(most(times)),
      n_readings: some.length,
      sensors: counts(some),
    })
    return `${about},${own},"payload":[${texts.join(',')}]`
  })
}

/** The inner of a JSON object. */
export function fields(object: object): string {
  return JSON.stringify(object).slice(1, -1)
}

/** ISO 8601 UTC with microseconds. */
export function isoMicros(tUs: number): string {
  const ms = Math.floor(tUs / 1_000)
  const rest = String(tUs - ms * 1_000).padStart(3, '0')
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`
}

/** A reading as it was sent, its time in the digits it was sent with: as a text, for a double does not hold them. */
function textOf({ sensor, timeNs, values, accuracy }: Reading): string {
  const rest = accuracy === undefined ? '' : `,"accuracy":${accuracy}`
  return `{"name":${JSON.stringify(sensor)},"time":"${timeNs}","values":${JSON.stringify(values)}${rest}}`
}

interface Part {
  readonly readings: Reading[]
  readonly texts: string[]
}

function split(readings: readonly Reading[]): Part[] {
  const parts: Part[] = []
  const names = new Set<string>()
  let room = 0
  for (const reading of readings) {
    const text = textOf(reading)
    const bytes = Buffer.byteLength(text) + 1
    const named = () =>
      names.has(reading.sensor) ? 0 : Buffer.byteLength(JSON.stringify(reading.sensor)) + COUNT_BYTES
    if (bytes + named() > room || parts.length === 0) {
      parts.push({ readings: [], texts: [] })
      names.clear()
      room = PAYLOAD_BYTES
    }
    room -= bytes + named()
    names.add(reading.sensor)
    parts.at(-1)?.readings.push(reading)
    parts.at(-1)?.texts.push(text)
  }
  return parts
}

function counts(readings: readonly Reading[]): Record<string, number> {
  const found = new Map<string, number>()
  for (const { sensor } of readings) found.set(sensor, (found.get(sensor) ?? 0) + 1)
  return Object.fromEntries(found)
}

function latest(readings: readonly Reading[]): number {
  return most(readings.map(({ tUs }) => tUs))
}

/** A message may hold more numbers than a call takes arguments. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}
