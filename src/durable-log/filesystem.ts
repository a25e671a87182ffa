import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'

/**
 * The few calls the log needs of a disk, so that tests can put a disk with a crash button in its place. Failures
 * are system errors with a `code` (`ENOENT`, `ENOSPC`, `EIO`, …), as Node's are.
 *
 * What a power cut leaves is only what was synced: `datasync` for the content and length of a file,
 * `syncDirectory` for which names exist. `rename` is atomic, durable only after `syncDirectory`.
 */
export interface FileSystem {
  /** One directory; its parent has to be there (`ENOENT`), itself not (`EEXIST`). */
  makeDirectory(path: string): Promise<void>
  /**
   * `create` makes an empty file where there was none (`EEXIST`), `replace` makes one also of what was there; the others
   * need one that is there.
   */
  open(path: string, mode: OpenMode): Promise<OpenFile>
  /** The names in a directory, in no order. */
  list(directory: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /** Bytes an ordinary user may still write to the disk under `path`. */
  free(path: string): Promise<number>
  /** The name of the network file system a directory lies on; undefined on a disk of this machine. */
  networkShare(directory: string): Promise<string | undefined>
  /** Takes a directory for this process, until released or until the process is gone, however it went. */
  lock(directory: string): Promise<Lock>
}

export type OpenMode = 'create' | 'replace' | 'write' | 'read'

export interface OpenFile {
  size(): Promise<number>
  /** As many bytes as there are, at most `length`. The buffer is the caller's to keep. */
  read(position: number, length: number): Promise<Buffer>
  /** All of it, or an error, after which any part may stand. The bytes must not change meanwhile. */
  write(bytes: Uint8Array, position: number): Promise<void>
  datasync(): Promise<void>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

export type Lock =
  | { readonly state: 'held'; readonly release: () => Promise<void> }
  | { readonly state: 'taken'; readonly by: string }
  /** This disk or system has no means of it. */
  | { readonly state: 'unsupported'; readonly cause: unknown }

/** Makes a directory and what is missing above it, so that it is there after a power cut too. */
export async function ensureDirectory(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.makeDirectory(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw error
    await ensureDirectory(fs, parent)
    await fs.makeDirectory(path)
  }
  await fs.syncDirectory(dirname(path))
}

/** No room, on the disk or by quota: the one failed write after which the log can go on. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** What a bad sector costs at least: the page the kernel reads. */
const PAGE = 4096

/**
 * Reads past bad sectors: where the disk answers with an error the bytes are zeros, which are no record. Gives fewer
 * bytes only where the file ends.
 */
export async function readThrough(file: OpenFile, position: number, length: number): Promise<Buffer> {
  try {
    return await file.read(position, length)
  } catch (error) {
    if (systemCode(error) !== 'EIO') throw error
    const size = await file.size()
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - position)))
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = Math.min(bytes.length, at + PAGE - ((position + at) % PAGE))
      try {
        bytes.set(await file.read(position + at, end - at), at)
      } catch (pageError) {
        if (systemCode(pageError) !== 'EIO') throw pageError
      }
    }
    return bytes
  }
}
