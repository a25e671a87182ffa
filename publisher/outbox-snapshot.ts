import { join } from 'node:path'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { readSnapshot, writeSnapshot } from '../src/durable-log/snapshot-file.ts'
import type { Interval } from '../src/intervals.ts'
import type { Place } from '../src/outbox/held-readings.ts'
import type { OutboxNotes } from './outbox.ts'
import { parsed } from './outbox-record.ts'

/** Beside the log: which of its records have left, and what else is to be remembered. */
export interface OutboxSnapshot {
  /** Of the places up to this one only those in `held` are held; of the later ones it says nothing. */
  readonly through: number
  readonly held: readonly Interval[]
  /** The last reading that was durable, `null` before the first. */
  readonly last: Place | null
  readonly notes?: OutboxNotes
}

const FILE = 'outbox.snapshot'

export async function readOutboxSnapshot(fs: FileSystem, dir: string): Promise<OutboxSnapshot | undefined> {
  const found = await readSnapshot(fs, join(dir, FILE))
  return found && parsed<OutboxSnapshot>(found.bytes.toString('utf8'))
}

export function writeOutboxSnapshot(fs: FileSystem, dir: string, snapshot: OutboxSnapshot): Promise<void> {
  return writeSnapshot(fs, join(dir, FILE), Buffer.from(JSON.stringify(snapshot)))
}
