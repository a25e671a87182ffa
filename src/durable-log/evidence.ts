import { join } from 'node:path'
import type { FileSystem } from './filesystem.ts'
import type { Segment } from './segment.ts'

/*
 * Damaged bytes are kept beside the log as `*.corrupt`, for a person to look at; the log never reads or deletes them.
 * Keeping them must not stop the log: when there is no room, or there are many already, the answer is that there is none.
 */

const SUFFIX = '.corrupt'
const UNFINISHED = '.corrupt.tmp'

/** A disk that damages more than this will not be understood better from one more file, and must not be filled up. */
const MOST_FILES = 32

export interface Evidence {
  /** The name of the copy, `undefined` when none could be made. */
  readonly name: string | undefined
  /** It was there already. */
  readonly known: boolean
}

export function isEvidence(name: string): boolean {
  return name.endsWith(SUFFIX)
}

/** Keeps a whole segment, once. */
export async function keepSegment(fs: FileSystem, dir: string, segment: string, bytes: Buffer): Promise<Evidence> {
  const name = `${segment}${SUFFIX}`
  const names = await fs.list(dir)
  if (names.includes(name)) return { name, known: true }
  return { name: await keep(fs, dir, name, names, bytes), known: false }
}

/** Keeps what is about to be cut off a segment. */
export async function keepTail(
  fs: FileSystem,
  dir: string,
  segment: string,
  at: number,
  bytes: Buffer,
): Promise<string | undefined> {
  const names = await fs.list(dir)
  for (let copy = 1; ; copy++) {
    const name = `${segment}.at-${at}-${copy}${SUFFIX}`
    if (!names.includes(name)) return keep(fs, dir, name, names, bytes)
  }
}

/** Deletes a segment whose turn has come. If it is damaged and there is no copy, it becomes the evidence itself. */
export async function retire(fs: FileSystem, dir: string, { name, damaged }: Segment): Promise<void> {
  const names = await fs.list(dir)
  // Deleted already by a call whose directory sync failed.
  if (!names.includes(name)) return
  const copy = `${name}${SUFFIX}`
  if (damaged && !names.includes(copy)) await fs.rename(join(dir, name), join(dir, copy))
  else await fs.unlink(join(dir, name))
}

/** Copies that a crash interrupted are no evidence. */
export async function sweep(fs: FileSystem, dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) if (name.endsWith(UNFINISHED)) await fs.unlink(join(dir, name))
}

async function keep(
  fs: FileSystem,
  dir: string,
  name: string,
  names: readonly string[],
  bytes: Buffer,
): Promise<string | undefined> {
  if (names.filter((other) => other.endsWith(SUFFIX)).length >= MOST_FILES) return undefined
  const path = join(dir, name)
  const unfinished = join(dir, `${name}.tmp`)
  try {
    const file = await fs.open(unfinished, 'replace')
    try {
      await file.write(bytes, 0)
      await file.datasync()
    } finally {
      await file.close()
    }
    await fs.rename(unfinished, path)
    await fs.syncDirectory(dir)
    return name
  } catch {
    await fs.unlink(unfinished).catch(() => undefined)
    return undefined
  }
}
