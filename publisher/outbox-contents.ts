import { IntervalSet } from '../src/intervals.ts'
import type { Place } from '../src/outbox/held-readings.ts'
import { decodeRecord, type OutboxRecord } from './outbox-record.ts'
import type { OutboxSnapshot } from './outbox-snapshot.ts'

/** A reading on the disk, and where its record is. */
export interface StoredReading extends OutboxRecord {
  readonly sequence: number
  /** Of its record. */
  readonly bytes: number
}

export interface OutboxContents {
  /** Those that have not left, in the order of their places. */
  readonly held: readonly StoredReading[]
  /** The last place of all that is known. */
  readonly last: Place | undefined
}

/** What a log and its snapshot say together. */
export async function readContents(
  records: AsyncIterable<{ readonly sequence: number; readonly body: Uint8Array }>,
  snapshot: OutboxSnapshot | undefined,
): Promise<OutboxContents> {
  const known = new IntervalSet(snapshot?.held)
  const through = snapshot?.through ?? 0
  const held = new Map<number, StoredReading>()
  let last: Place | undefined = snapshot?.last ?? undefined
  for await (const { sequence, body } of records) {
    const record = decodeRecord(body)
    const { order, reading } = record
    last = later({ order, name: `${reading.stream}.${reading.seq}` }, last)
    if (order > through || known.has(order)) held.set(order, { ...record, sequence, bytes: body.length })
  }
  return { held: [...held.values()].sort((a, b) => a.order - b.order), last }
}

/** The first of two of one place. */
export function later(a: Place | undefined, b: Place | undefined): Place | undefined {
  return a === undefined || (b !== undefined && b.order > a.order) ? b : a
}
