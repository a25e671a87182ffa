import { SnowhatError } from '../src/errors.ts'
import type { Held, Place } from '../src/outbox/held-readings.ts'
import type { BootTime } from '../src/outbox/outbox.ts'
import type { Reading } from '../src/reading.ts'

/**
 * What the outbox writes to its log: one line with the reading's place and what it declares, and one with the reading.
 * There may be several records of one place; the last one counts.
 */
export interface OutboxRecord {
  readonly order: number
  readonly before: Place
  /** It was never sent, and its time may still be corrected; without it the reading stays as it is. */
  readonly takenAt?: BootTime | undefined
  readonly reading: Reading
}

export function encodeRecord({ reading, place, before, takenAt }: Omit<Held<Reading>, 'gone' | 'stored'>): Buffer {
  return Buffer.from(`${JSON.stringify({ order: place.order, before, takenAt })}\n${JSON.stringify(reading)}`)
}

export function decodeRecord(body: Uint8Array): OutboxRecord {
  const [head = '', reading = ''] = Buffer.from(body).toString('utf8').split('\n')
  const { order, before, takenAt } = parsed<Omit<OutboxRecord, 'reading'>>(head)
  return { order, before, takenAt, reading: parsed<Reading>(reading) }
}

/** Log and snapshot have checked the bytes, so what this version cannot read is another program's. */
export function parsed<T>(json: string): T {
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
