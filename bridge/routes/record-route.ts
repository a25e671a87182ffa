import { deviceKey, deviceName } from '../../src/device-key.ts'
import type { ColumnKind } from '../../src/table-columns.ts'
import { AFTER } from './forms.ts'
import { elementsOf, membersOf, objectOf } from './json-text.ts'
import { decodeMessage, type MessageLimits, positionOf, type Written } from './message.ts'
import { faultIn } from './record-check.ts'
import type { DecodedReading, Destination, Refused, Route } from './route.ts'
import { type TopicPattern, topicPattern } from './topic-pattern.ts'

/** A route that is nothing but settings: whatever JSON comes on a topic, to whatever table. */
export interface RecordRouteSettings {
  readonly name: string
  /** An MQTT filter with one `+`, which stands for the device. */
  readonly topic: string
  readonly destination: Destination
  /** Keys with a column of their own; all others go to `extra`. */
  readonly columns: ReadonlyMap<string, ColumnKind>
  /** The key of a payload that is no object: a bare number or text. */
  readonly scalar?: string
  readonly limits: MessageLimits
}

/** What a publisher may send of the envelope; with another type there they are a fault. */
const ENVELOPE_KEYS: ReadonlyMap<string, ColumnKind> = new Map([
  ['uuid', 'text'],
  ['stream', 'text'],
  ['seq', 'integer'],
  ['after', 'text'],
])
/** Written by the bridge, whatever a publisher says. */
const BY_BRIDGE: ReadonlySet<string> = new Set(['device', 'bridge_received_at', 'ingestion_timestamp'])

export function recordRoute(settings: RecordRouteSettings): Route {
  const pattern: TopicPattern = topicPattern(settings.topic)
  const columns = new Map([...settings.columns, ...ENVELOPE_KEYS])
  return {
    name: settings.name,
    destination: settings.destination,
    filter: settings.topic,
    matches: (topic) => pattern.deviceIn(topic) !== undefined,
    deviceOf: (topic) => {
      const device = pattern.deviceIn(topic)
      return device === undefined || device === '' ? undefined : deviceKey(settings.name, deviceName(device))
    },
    decode: (_key, payload, topic) => {
      const device = pattern.deviceIn(topic) ?? ''
      return decodeMessage(payload, {
        limits: settings.limits,
        elements: elementsOf,
        read: (written) => recordOf(written, device, settings, columns),
      })
    },
  }
}

function recordOf(
  { value, text = '', bytes }: Written,
  device: string,
  { scalar }: RecordRouteSettings,
  columns: ReadonlyMap<string, ColumnKind>,
): DecodedReading | Refused {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject && (scalar === undefined || Array.isArray(value)))
    return { code: 'not_an_object', reason: 'a record must be a JSON object', payload: bytes() }
  const record = isObject ? (value as Record<string, unknown>) : { [scalar as string]: value }
  const position = positionOf(record)
  const fault = faultIn(record, columns) ?? faultOfPlace(record, position)
  if (fault !== undefined) return { code: 'wrong_type', reason: fault, payload: bytes(), ...(position && { position }) }
  const after = typeof record.after === 'string' ? record.after : null
  const named = typeof record.uuid === 'string'
  return {
    position: position && { stream: position.stream, seq: position.seq, after },
    named,
    json: rowOf(isObject ? membersOf(text) : new Map([[scalar as string, text.trim()]]), device, columns),
  }
}

function faultOfPlace(
  { stream, seq, after }: Readonly<Record<string, unknown>>,
  position: object | undefined,
): string | undefined {
  if (position === undefined && (stream ?? seq ?? undefined) !== undefined)
    return 'stream and seq go together: 8 of [0-9a-z] and a whole number from 1'
  return typeof after === 'string' && !AFTER.test(after) ? 'after: must be <stream>.<seq>' : undefined
}

/** Each value as it was written: JSON.parse would make other numbers of long ones. `device` is always there, so keys can follow it. */
function rowOf(members: ReadonlyMap<string, string>, device: string, columns: ReadonlyMap<string, ColumnKind>): Buffer {
  const row: [key: string, json: string][] = [['device', JSON.stringify(device)]]
  const extra: [key: string, json: string][] = []
  for (const [key, json] of members) {
    if (BY_BRIDGE.has(key) || json === 'null') continue
    if (columns.has(key)) row.push([key, json])
    else if (key === 'extra' && json.startsWith('{')) for (const inner of membersOf(json)) extra.push(inner)
    else extra.push([key, json])
  }
  if (extra.length > 0) row.push(['extra', objectOf(extra)])
  return Buffer.from(objectOf(row))
}
