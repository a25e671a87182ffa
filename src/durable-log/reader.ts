import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { type FileSystem, type OpenFile, readThrough } from './filesystem.ts'
import { decodeFrame, frameEnd, KIND } from './frame.ts'
import { type Damage, scan } from './scan.ts'
import { PLACES_APART, SEGMENT_HEADER, type Segment } from './segment.ts'

export interface LogRecord {
  readonly sequence: number
  /** A view of what was read at once, some 64 KiB: copy it to keep it for long. */
  readonly body: Uint8Array
}

/** A segment as far as it is to be read: what is written later is not looked at. */
export interface ReadPart {
  readonly segment: Segment
  readonly size: number
}

/** Is told of damage that shows only now; reading goes on after it. */
export type OnDamage = (segment: Segment, damage: Damage, file: OpenFile) => Promise<void>

/** The records from `from` on, in order, none twice. Segments deleted meanwhile are left out. */
export async function* readParts(
  fs: FileSystem,
  dir: string,
  parts: readonly ReadPart[],
  from: number,
  onDamage: OnDamage,
): AsyncGenerator<LogRecord, void, undefined> {
  let next = from
  for (const part of parts) {
    const file = await openUnlessDeleted(fs, join(dir, part.segment.name))
    if (file === undefined) continue
    try {
      for await (const record of readPart(file, part, next, onDamage)) {
        if (record.sequence < next) continue
        next = record.sequence + 1
        yield record
      }
    } finally {
      await file.close()
    }
  }
}

async function openUnlessDeleted(fs: FileSystem, path: string): Promise<OpenFile | undefined> {
  try {
    return await fs.open(path, 'read')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function* readPart(
  file: OpenFile,
  { segment, size }: ReadPart,
  from: number,
  onDamage: OnDamage,
): AsyncGenerator<LogRecord, void, undefined> {
  const start = segment.places.before(from) ?? { sequence: segment.first, offset: SEGMENT_HEADER }
  let expected = start.sequence
  let at = start.offset
  let window: Buffer = Buffer.alloc(0)
  let base = at
  let asked = 0
  while (at < size) {
    const frame = decodeFrame(window, at - base)
    if (typeof frame !== 'string' && frame.sequence === expected) {
      if (frame.kind !== KIND.mark) yield { sequence: expected++, body: frame.body }
      at = base + frame.end
      continue
    }
    const claimed = (frameEnd(window, at - base) ?? 0) - (at - base)
    const length = Math.min(size - at, Math.max(PLACES_APART, claimed))
    if (frame !== 'cut' || (base === at && asked >= length)) {
      yield* readDamaged(file, segment, at, size, expected, onDamage)
      return
    }
    window = await readThrough(file, at, length)
    base = at
    asked = length
  }
}

/** The rest of a segment in which something is wrong, at once: the way on may be far behind. */
async function* readDamaged(
  file: OpenFile,
  segment: Segment,
  at: number,
  size: number,
  expected: number,
  onDamage: OnDamage,
): AsyncGenerator<LogRecord, void, undefined> {
  const rest = await readThrough(file, at, size - at)
  for (const found of scan(rest, 0, expected)) {
    if (found.frame === undefined) await onDamage(segment, { ...found, at: at + found.at, end: at + found.end }, file)
    else if (found.frame.kind !== KIND.mark) yield { sequence: found.frame.sequence, body: found.frame.body }
  }
}
