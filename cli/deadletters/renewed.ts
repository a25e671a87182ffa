import type { DeadLetter } from '../../bridge/dead-letters/dead-letters.ts'
import { membersOf, objectOf } from '../../bridge/routes/json-text.ts'
import { decodeMessage, positionOf, READINGS_LIMITS } from '../../bridge/routes/message.ts'
import { decodeReadings } from '../../bridge/routes/sense-hat-route.ts'
import { messageOf } from '../../src/errors.ts'
import { exactJson } from './exact-json.ts'

export interface ReplayableReading {
  /** The reading as JSON, no longer than one message may be. */
  readonly text: string
  readonly uuid: string | undefined
}

/** A reading as it stood in the letter. */
export interface Kept {
  readonly value: unknown
  /** Its own JSON. */
  readonly text: string
  readonly device: string
  /** Where it stood in its stream, when the body does not say it. */
  readonly position: DeadLetter['position']
}

/** What the bridge writes, and the place, which is taken. */
const LEFT_OUT: ReadonlySet<string> = new Set(['stream', 'seq', 'after', 'bridge_received_at', 'ingestion_timestamp'])

/** A reading of a Pi as it is to be sent, or why it cannot be. */
export function renewedReading({ value, device, position }: Kept): ReplayableReading | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a reading must be a JSON object'
  const { hostname, ...rest } = value as Record<string, unknown>
  const reading = Object.fromEntries(Object.entries(rest).filter(([key]) => !LEFT_OUT.has(key)))
  if ((reading.uuid ?? '') === '') Object.assign(reading, identityOf(device, positionOf(value) ?? position))
  // A name is the topic's matter; what is no name is the sender's mistake.
  if (hostname !== undefined && hostname !== null && typeof hostname !== 'string') reading.hostname = hostname
  try {
    const text = exactJson(reading)
    const fault = decodeReadings(device, Buffer.from(text)).refused[0]?.reason
    return fault ?? { text, uuid: typeof reading.uuid === 'string' ? reading.uuid : undefined }
  } catch (error) {
    return messageOf(error)
  }
}

/**
 * A record of another route, the same. Its values stay as they were written: of its columns nothing is known here, and what the
 * route does not take the bridge refuses again.
 */
export function renewedRecord({ value, text, device, position }: Kept): ReplayableReading | string {
  // A bare value has no room for an identity.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return checked(text.trim(), undefined)
  const members = membersOf(text)
  for (const key of [...LEFT_OUT, 'device']) members.delete(key)
  let { uuid } = value as { uuid?: unknown }
  if ((uuid ?? '') === '') {
    uuid = identityOf(device, positionOf(value) ?? position).uuid
    if (uuid !== undefined) members.set('uuid', JSON.stringify(uuid))
  }
  return checked(objectOf(members), typeof uuid === 'string' ? uuid : undefined)
}

/** No longer than a message may be, and no deeper. */
function checked(text: string, uuid: string | undefined): ReplayableReading | string {
  const fault = decodeMessage(Buffer.from(text), { limits: READINGS_LIMITS, read: ANYTHING }).refused[0]?.reason
  return fault ?? { text, uuid }
}

const ANYTHING = () => ({ position: undefined, named: false, json: Buffer.alloc(0) })

/** Which reading it was: where nobody knows, the bridge gives it an identity. */
function identityOf(device: string, place: DeadLetter['position']): { readonly uuid?: string } {
  return place === undefined ? {} : { uuid: `${device}-${place.stream}-${place.seq}` }
}
