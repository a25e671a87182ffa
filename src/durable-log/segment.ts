import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { messageOf } from '../errors.ts'
import type { FileSystem, OpenFile } from './filesystem.ts'

/**
 * One file of the log, named by its first sequence number, zero-padded, so that a listing is the order. After a header
 * come frames and nothing else. Only the last segment is ever written.
 */
export interface Segment {
  readonly name: string
  /** The number of its first record, also when it has none yet. */
  readonly first: number
  /** Bytes of it that count. */
  size: number
  /** Records that can be read. */
  records: number
  /** Holds damage, so it is evidence and never written again. */
  damaged: boolean
  readonly places: Places
}

export const SEGMENT_HEADER = 32
export const DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024

const MAGIC = Buffer.from('SNOWLOG\n')
const VERSION = 1
const NAME = /^(\d{16})\.log$/

/** 16 digits hold every safe integer. */
export function segmentName(first: number): string {
  return `${String(first).padStart(16, '0')}.log`
}

/** The first sequence number of a file of this name, `undefined` when it is no segment's. */
export function firstOfName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export function newSegment(first: number): Segment {
  return { name: segmentName(first), first, size: SEGMENT_HEADER, records: 0, damaged: false, places: new Places() }
}

/** Magic, version, first sequence number, CRC-32 of those; the rest is zeros. */
export function encodeHeader(first: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER)
  MAGIC.copy(header)
  header.writeUInt32LE(VERSION, 8)
  header.writeBigUInt64LE(BigInt(first), 12)
  header.writeUInt32LE(crc32(header.subarray(0, 20)), 20)
  return header
}

/** The version of a header that is whole and of that first record, else `undefined`. */
export function headerVersion(bytes: Buffer, first: number): number | undefined {
  if (bytes.length < SEGMENT_HEADER || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32LE(20)) return undefined
  return bytes.readBigUInt64LE(12) === BigInt(first) ? bytes.readUInt32LE(8) : undefined
}

export function isKnownVersion(version: number): boolean {
  return version === VERSION
}

/**
 * An empty segment that will be there after a power cut: its header is synced, then its name. The segment before it
 * has to be synced already: recovery relies on only the last one being unfinished.
 */
export async function createSegment(fs: FileSystem, dir: string, first: number): Promise<[Segment, OpenFile]> {
  const segment = newSegment(first)
  const file = await fs.open(join(dir, segment.name), 'create')
  try {
    await file.write(encodeHeader(first), 0)
    await file.datasync().catch(syncFailed)
    await fs.syncDirectory(dir).catch(syncFailed)
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
  return [segment, file]
}

/** Even "no space left" is no reason to go on when it comes from a sync: without its code it will not be taken for one. */
function syncFailed(cause: unknown): never {
  throw new Error(messageOf(cause), { cause })
}

/** Where some of the records stand, so that reading can begin in the middle of a segment. */
export class Places {
  readonly #sequences: number[] = []
  readonly #offsets: number[] = []

  /** Remembers it if the last one remembered is far enough away. */
  note(sequence: number, offset: number): void {
    const last = this.#offsets.at(-1)
    if (last !== undefined && offset - last < PLACES_APART) return
    this.#sequences.push(sequence)
    this.#offsets.push(offset)
  }

  /** The last place known at or before a record; `undefined` before the first. */
  before(sequence: number): { readonly sequence: number; readonly offset: number } | undefined {
    let low = 0
    let high = this.#sequences.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sequences[middle] as number) <= sequence) low = middle + 1
      else high = middle
    }
    if (low === 0) return undefined
    return { sequence: this.#sequences[low - 1] as number, offset: this.#offsets[low - 1] as number }
  }
}

/** The unit of reading as well: what is read to find one record is at most about this. */
export const PLACES_APART = 64 * 1024

/** All segments, oldest first, the one that is written last. */
export class SegmentList {
  readonly #segments: Segment[] = []
  #bytes = 0
  #records = 0

  get bytes(): number {
    return this.#bytes
  }

  get records(): number {
    return this.#records
  }

  get length(): number {
    return this.#segments.length
  }

  get oldest(): Segment | undefined {
    return this.#segments[0]
  }

  /** There always is one, once the log is open. */
  get active(): Segment {
    return this.#segments.at(-1) as Segment
  }

  all(): readonly Segment[] {
    return [...this.#segments]
  }

  add(segment: Segment): void {
    this.#segments.push(segment)
    this.#bytes += segment.size
    this.#records += segment.records
  }

  grow(bytes: number, records: number): void {
    this.active.size += bytes
    this.active.records += records
    this.#bytes += bytes
    this.#records += records
  }

  /** The oldest, if all its records are below a number and it is not the one that is written. */
  oldestBefore(sequence: number): Segment | undefined {
    const [oldest, next] = this.#segments
    return oldest !== undefined && next !== undefined && next.first <= sequence ? oldest : undefined
  }

  dropOldest(): void {
    const segment = this.#segments.shift()
    this.#bytes -= segment?.size ?? 0
    this.#records -= segment?.records ?? 0
  }
}
