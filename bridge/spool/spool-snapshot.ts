import { join } from 'node:path'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import type { DeviceFacts } from './spool-record.ts'

/** The spool's name, and the facts of all devices after the log's record `through`. */
export interface SpoolSnapshot {
  readonly instance: string
  readonly through: number
  readonly devices: Readonly<Record<string, DeviceFacts>>
}

const NAME = 'devices.snapshot'

export async function readSpoolSnapshot(fs: FileSystem, dir: string): Promise<SpoolSnapshot | undefined> {
  const snapshot = await readSnapshot(fs, join(dir, NAME))
  return snapshot === undefined ? undefined : JSON.parse(snapshot.bytes.toString('utf8'))
}

export function writeSpoolSnapshot(fs: FileSystem, dir: string, snapshot: SpoolSnapshot): Promise<void> {
  return writeSnapshot(fs, join(dir, NAME), Buffer.from(JSON.stringify(snapshot)))
}
