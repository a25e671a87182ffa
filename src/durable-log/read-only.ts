import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { type FileSystem, readThrough } from './filesystem.ts'
import { KIND } from './frame.ts'
import { tear } from './last-segment.ts'
import { openFailure, unknownVersion } from './log-errors.ts'
import { nodeFileSystem } from './node-filesystem.ts'
import type { LogRecord } from './reader.ts'
import { scan } from './scan.ts'
import { firstOfName, headerVersion, isKnownVersion, SEGMENT_HEADER, segmentName } from './segment.ts'

/**
 * The records of a log that may belong to somebody else at this moment: without its lock, and without touching a byte.
 * In order, none twice. Given are all that were there when it was called and still are when their segment's turn comes,
 * and perhaps some that came meanwhile; of damage what opening the log would give, without a word. A record that is not
 * durable yet can be among them: after a power cut its number may be another record's.
 *
 * Throws `E_LOG_IO` when there is no such directory or it cannot be read.
 */
export async function* readDurableLog(
  dir: string,
  fs: FileSystem = nodeFileSystem(),
): AsyncGenerator<LogRecord, void, undefined> {
  let next = 0
  for (let waiting = await segmentsIn(fs, dir); ; ) {
    const [first, ...others] = waiting
    if (first === undefined) return
    const last = others.length === 0
    const bytes = await readUnlessDeleted(fs, dir, first)
    for (const record of bytes === undefined ? [] : recordsOf(bytes, first, last)) {
      if (record.sequence < next) continue
      next = record.sequence + 1
      yield record
    }
    // Nobody deletes the segment he writes: if the last one is gone, others have come after it.
    waiting = last && bytes === undefined ? (await segmentsIn(fs, dir)).filter((other) => other > first) : others
  }
}

/** Of the last segment without the end that its owner is still writing, or that a crash has left half written. */
function* recordsOf(bytes: Buffer, first: number, last: boolean): Generator<LogRecord> {
  const found = [...scan(bytes, SEGMENT_HEADER, first)]
  for (const { frame } of last ? found.slice(0, tear(found)) : found)
    if (frame !== undefined && frame.kind !== KIND.mark) yield { sequence: frame.sequence, body: frame.body }
}

async function segmentsIn(fs: FileSystem, dir: string): Promise<number[]> {
  try {
    const firsts = (await fs.list(dir)).map(firstOfName).filter((first) => first !== undefined)
    return firsts.sort((a, b) => a - b)
  } catch (error) {
    throw openFailure(dir, error)
  }
}

async function readUnlessDeleted(fs: FileSystem, dir: string, first: number): Promise<Buffer | undefined> {
  const path = join(dir, segmentName(first))
  let bytes: Buffer
  try {
    const file = await fs.open(path, 'read')
    try {
      bytes = await readThrough(file, 0, await file.size())
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw openFailure(dir, error)
  }
  const version = headerVersion(bytes, first)
  if (version !== undefined && !isKnownVersion(version)) throw unknownVersion(path, version)
  return bytes
}
