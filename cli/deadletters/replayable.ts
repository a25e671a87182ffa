import type { DeadLetter } from '../../bridge/dead-letters/dead-letters.ts'
import type { KeptLetter } from '../../bridge/dead-letters/letter-record.ts'
import { positionOf } from '../../bridge/routes/message.ts'
import { decodeReadings } from '../../bridge/routes/sense-hat-route.ts'
import { messageOf } from '../../src/errors.ts'
import { exactJson } from './exact-json.ts'

export interface ReplayableReading {
  /** The reading as JSON, no longer than one message may be. */
  readonly text: string
  readonly uuid: string | undefined
}

/** What a dead letter becomes when it is sent again, or why it cannot be. */
export type Replayable =
  | {
      readonly kind: 'ready'
      readonly device: string
      readonly readings: readonly ReplayableReading[]
    }
  /** One sentence. */
  | { readonly kind: 'stays'; readonly why: string }

/**
 * All readings of a letter or none. A reading goes without its place in its stream, because that place is accounted
 * for: the bridge gives it another, and the identity (`uuid`) tells which reading it was. It is sent to the device of
 * the letter's topic, whatever host its body names, unless `to` says otherwise.
 */
export function replayable(
  letter: Pick<KeptLetter, 'device' | 'payload' | 'position' | 'cutFrom'>,
  to?: string,
): Replayable {
  const device = to ?? letter.device
  if (device === '') return stays('its topic names no device; say with --to HOST whose it is')
  let value: unknown
  try {
    value = JSON.parse(letter.payload.toString('utf8'))
  } catch {
    const { payload, cutFrom } = letter
    const part = cutFrom === undefined ? '' : `, because only ${payload.length} of its ${cutFrom} bytes were kept`
    return stays(`the payload is not JSON${part}`)
  }
  const several = Array.isArray(value)
  const values: unknown[] = Array.isArray(value) ? value : [value]
  if (values.length === 0) return stays('there is no reading in it')
  const readings: ReplayableReading[] = []
  for (const [i, one] of values.entries()) {
    const reading = renewed(one, device, several ? undefined : letter.position)
    const why = typeof reading === 'string' ? reading : faultOf(reading.text, device)
    if (why !== undefined) return stays(several ? `reading ${i + 1} of ${values.length}: ${why}` : why)
    if (typeof reading !== 'string') readings.push(reading)
  }
  return { kind: 'ready', device, readings }
}

function stays(why: string): Replayable {
  return { kind: 'stays', why }
}

/** The reading as it is to be sent, or why it is none. */
function renewed(value: unknown, device: string, position: DeadLetter['position']): ReplayableReading | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a reading must be a JSON object'
  const { stream, seq, after, bridge_received_at, ingestion_timestamp, hostname, ...rest } = value as Record<
    string,
    unknown
  >
  const reading: Record<string, unknown> = rest
  const place = positionOf(value) ?? position
  if (place !== undefined && (reading.uuid ?? '') === '') reading.uuid = `${device}-${place.stream}-${place.seq}`
  // A name is the topic's matter; what is no name is the sender's mistake.
  if (hostname !== undefined && hostname !== null && typeof hostname !== 'string') reading.hostname = hostname
  try {
    return { text: exactJson(reading), uuid: typeof reading.uuid === 'string' ? reading.uuid : undefined }
  } catch (error) {
    return messageOf(error)
  }
}

/** Why the bridge would refuse it. */
function faultOf(text: string, device: string): string | undefined {
  return decodeReadings(device, Buffer.from(text)).refused[0]?.reason
}
