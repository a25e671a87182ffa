import { SnowhatError } from '../src/errors.ts'
import type { Interval } from '../src/intervals.ts'
import type { Reading } from '../src/reading.ts'
import type { Held, Place } from './held-readings.ts'

/*
 * What the outbox writes to the disk. A record of its log is one line with the reading's place and what it declares,
 * and one with the reading. The snapshot says which of the log's records have left.
 */
export interface OutboxRecord {
  readonly order: number
  readonly before: Place
  readonly reading: Reading
}

export interface OutboxSnapshot {
  /** Of the places up to this one only those in `held` are held; of the later ones it says nothing. */
  readonly through: number
  readonly held: readonly Interval[]
  /** The last reading that was durable, `null` before the first. */
  readonly last: Place | null
}

export function encodeRecord({ reading, place, before }: Held): Buffer {
  return Buffer.from(`${JSON.stringify({ order: place.order, before })}\n${JSON.stringify(reading)}`)
}

export function decodeRecord(body: Uint8Array): OutboxRecord {
  const [head = '', reading = ''] = Buffer.from(body).toString('utf8').split('\n')
  const { order, before } = parsed<Pick<OutboxRecord, 'order' | 'before'>>(head)
  return { order, before, reading: parsed<Reading>(reading) }
}

export function encodeSnapshot(snapshot: OutboxSnapshot): Buffer {
  return Buffer.from(JSON.stringify(snapshot))
}

export function decodeSnapshot(bytes: Uint8Array): OutboxSnapshot {
  return parsed<OutboxSnapshot>(Buffer.from(bytes).toString('utf8'))
}

/** The log has checked the bytes, so what this version cannot read is another program's. */
function parsed<T>(json: string): T {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw foreign(error)
  }
  if (typeof value !== 'object' || value === null) throw foreign(undefined)
  return value as T
}

function foreign(cause: unknown): SnowhatError {
  return new SnowhatError('E_LOG_CORRUPT', 'The outbox on disk holds records that are not readings.', {
    hint: 'give outbox_dir a directory that no other program uses',
    cause,
  })
}
