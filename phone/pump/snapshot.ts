import { join } from 'node:path'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import type { Log } from '../../src/log.ts'
import type { MadeRow } from '../delivery/delivery.ts'
import type { SavedSeen } from '../intake/seen.ts'
import type { PumpState } from './pump.ts'

/** Rises with every change of what is kept or of what it means. */
const VERSION = 2
const FILE = 'phone.snapshot'

/** All that a start needs beside the journal from `pump.position` on. */
export interface PhoneSnapshot {
  readonly version: typeof VERSION
  readonly pump: PumpState
  /** Of the recogniser, which knows its own versions. */
  readonly recogniser: unknown
  readonly seen: SavedSeen
  /** Rows made of earlier records that are not known to be in the table. */
  readonly rows: readonly MadeRow[]
  /** A bridge was heard, in this run or before. */
  readonly bridgeSeen: boolean
}

/**
 * `undefined` when there is none that this version knows: then all that the journal still holds is read, under a new name. Where
 * there is one, the position of the one before is given too: what lies behind it may still be needed.
 */
export async function readPhoneSnapshot(fs: FileSystem, dir: string, log: Log): Promise<PhoneSnapshot | undefined> {
  const found = await readSnapshot(fs, join(dir, FILE))
  if (found === undefined) return undefined
  const snapshot = JSON.parse(found.bytes.toString('utf8')) as PhoneSnapshot
  if (snapshot.version === VERSION) return snapshot
  log.warn(
    { version: snapshot.version },
    'the snapshot of the phones is of another version and is not used: what is still in the journal is sent again',
  )
  return undefined
}

/** One at a time. */
export function writePhoneSnapshot(
  fs: FileSystem,
  dir: string,
  snapshot: Omit<PhoneSnapshot, 'version'>,
): Promise<void> {
  return writeSnapshot(fs, join(dir, FILE), Buffer.from(JSON.stringify({ version: VERSION, ...snapshot })))
}
