import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { isEvidence } from './evidence.ts'
import { type FileSystem, readThrough } from './filesystem.ts'
import { KIND } from './frame.ts'
import { unknownVersion } from './log-errors.ts'
import type { LogRecord } from './reader.ts'
import { scan } from './scan.ts'
import { firstOfName, headerVersion, isKnownVersion, SEGMENT_HEADER, segmentName } from './segment.ts'

/** A log seen from outside: nothing is locked, mended, made or deleted, and its owner may go on writing. */
export interface LogLook {
  readonly bytes: number
  readonly segments: number
  /** Names of the files in which damage is kept. */
  readonly evidence: readonly string[]
  /** In order, as far as they can be read. What is being written at the end, or is damaged, is left out. */
  readonly records: readonly LogRecord[]
}

/** Rejects with the system's error when there is no such directory. */
export async function lookAtLog(fs: FileSystem, dir: string): Promise<LogLook> {
  const names = await fs.list(dir)
  const firsts = names.map(firstOfName).filter((first) => first !== undefined)
  firsts.sort((a, b) => a - b)
  const records: LogRecord[] = []
  let bytes = 0
  let segments = 0
  for (const first of firsts) {
    const content = await readUnlessDeleted(fs, join(dir, segmentName(first)))
    if (content === undefined) continue
    bytes += content.length
    segments++
    const version = headerVersion(content, first)
    if (version !== undefined && !isKnownVersion(version)) throw unknownVersion(join(dir, segmentName(first)), version)
    for (const { frame } of scan(content, SEGMENT_HEADER, first))
      if (frame !== undefined && frame.kind !== KIND.mark)
        records.push({ sequence: frame.sequence, body: Buffer.from(frame.body) })
  }
  return { bytes, segments, evidence: names.filter(isEvidence).sort(), records }
}

async function readUnlessDeleted(fs: FileSystem, path: string): Promise<Buffer | undefined> {
  try {
    const file = await fs.open(path, 'read')
    try {
      return await readThrough(file, 0, await file.size())
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
