import { join } from 'node:path'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import type { DeviceLog } from './device-log.ts'
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

/** Written in one go: the facts of a large fleet would make readings wait. */
const AT_ONCE = 250

/** The same as `JSON.stringify` of a snapshot, with a breath every few devices. */
export async function encodeSnapshot(
  head: Omit<SpoolSnapshot, 'devices'>,
  devices: Iterable<DeviceLog>,
  factsOf: (device: DeviceLog) => DeviceFacts,
): Promise<Buffer> {
  const pieces: Buffer[] = []
  let entries: string[] = []
  const put = (text: string) => pieces.push(Buffer.from(text))
  put(`${JSON.stringify(head).slice(0, -1)},"devices":{`)
  let count = 0
  for (const device of devices) {
    entries.push(`${count++ === 0 ? '' : ','}${JSON.stringify(device.hostname)}:${JSON.stringify(factsOf(device))}`)
    if (entries.length < AT_ONCE) continue
    put(entries.join(''))
    entries = []
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  put(`${entries.join('')}}}`)
  return Buffer.concat(pieces)
}

/** `bytes` as `encodeSnapshot` gives them. */
export function writeSpoolSnapshot(fs: FileSystem, dir: string, bytes: Buffer): Promise<void> {
  return writeSnapshot(fs, join(dir, NAME), bytes)
}
