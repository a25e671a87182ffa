import { join } from 'node:path'
import { keepTail } from './evidence.ts'
import type { FileSystem, OpenFile } from './filesystem.ts'
import { KIND } from './frame.ts'
import type { TornTail } from './recovery-report.ts'
import type { Found } from './scan.ts'
import type { Segment } from './segment.ts'

/* The end of the last segment: the one place that a crash may have left unfinished. */

/** Where the torn tail begins among what was found: at the first damage behind the last word about durability. */
export function tear(found: readonly Found[]): number | undefined {
  const durable = found.findLastIndex(saysDurable)
  const cut = found.findIndex(({ frame }, i) => i > durable && frame === undefined)
  return cut === -1 ? undefined : cut
}

/** `beyond` is what was found from the tear on. */
export async function tearOff(
  fs: FileSystem,
  dir: string,
  { name: file, size: offset }: Segment,
  bytes: Buffer,
  beyond: readonly Found[],
): Promise<TornTail> {
  const recordsBeyond = beyond.filter(({ frame }) => frame !== undefined).length
  const evidence = recordsBeyond === 0 ? undefined : await keepTail(fs, dir, file, offset, bytes.subarray(offset))
  return { file, offset, bytes: bytes.length - offset, recordsBeyond, evidence }
}

/** Makes the last segment durable up to its end, and gives it back open for writing. */
export async function settle(
  fs: FileSystem,
  dir: string,
  segment: Segment,
  bytes: Buffer,
  kept: readonly Found[],
): Promise<OpenFile> {
  const file = await fs.open(join(dir, segment.name), 'write')
  try {
    const word = kept.findLast(saysDurable)
    const doubtful = bytes.subarray(word?.at ?? 0, segment.size)
    // Longer first, so that it is a change: a cut whose sync failed shows in the cache and is not on the disk.
    await file.truncate(segment.size + 1)
    await file.truncate(segment.size)
    await file.write(doubtful, segment.size - doubtful.length)
    await file.datasync()
    return file
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

/** The word that everything before it was durable when it was written. */
function saysDurable({ frame }: Found): boolean {
  return frame !== undefined && frame.kind !== KIND.record
}
