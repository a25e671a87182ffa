import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { messageOf, SnowhatError, systemCode } from '../errors.ts'
import { type FileSystem, isDiskFull, readThrough } from './filesystem.ts'
import { diskFull } from './log-errors.ts'

/*
 * A small file that is replaced as a whole: state its owner can derive again, kept to be quick after a start. After
 * `writeSnapshot` has resolved these bytes come back; after a crash in the middle of it, these or the ones before. The
 * ones before stay beside it as `*.previous`, for the case that the disk damages the newer.
 */

/** Magic, CRC-32 of all after it, length of the content, content. */
const MAGIC = Buffer.from('SNOWSNP1')
const HEADER = 20

export interface Snapshot {
  readonly bytes: Buffer
  /** The newest one was missing or damaged. */
  readonly previous: boolean
}

/** One at a time per path: it is the caller who keeps them apart. */
export async function writeSnapshot(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const dir = dirname(path)
  const unfinished = `${path}.tmp`
  try {
    const file = await fs.open(unfinished, 'replace')
    try {
      await file.write(encode(bytes), 0)
      await file.datasync()
    } finally {
      await file.close()
    }
    // Between the two renames there is none of this name; reading then takes the previous one. So only a whole one may
    // become that.
    if ((await readContent(fs, path)) !== undefined) await fs.rename(path, `${path}.previous`)
    await fs.rename(unfinished, path)
    await fs.syncDirectory(dir)
  } catch (error) {
    if (isDiskFull(error)) {
      await fs.unlink(unfinished).catch(() => undefined)
      throw diskFull(dir, error)
    }
    throw new SnowhatError('E_LOG_IO', `${path} could not be written: ${messageOf(error)}.`, {
      hint: 'check the disk and who may write to that directory',
      cause: error,
    })
  }
}

/** `undefined` when there is none that can be read: its owner begins from nothing. */
export async function readSnapshot(fs: FileSystem, path: string): Promise<Snapshot | undefined> {
  for (const previous of [false, true]) {
    const bytes = await readContent(fs, previous ? `${path}.previous` : path)
    if (bytes !== undefined) return { bytes, previous }
  }
  return undefined
}

function encode(bytes: Uint8Array): Buffer {
  const file = Buffer.alloc(HEADER + bytes.length)
  MAGIC.copy(file)
  file.writeBigUInt64LE(BigInt(bytes.length), 12)
  file.set(bytes, HEADER)
  file.writeUInt32LE(crc32(file.subarray(12)), 8)
  return file
}

function decode(file: Buffer): Buffer | undefined {
  if (file.length < HEADER || !file.subarray(0, 8).equals(MAGIC)) return undefined
  if (file.readBigUInt64LE(12) !== BigInt(file.length - HEADER)) return undefined
  return crc32(file.subarray(12)) === file.readUInt32LE(8) ? file.subarray(HEADER) : undefined
}

async function readContent(fs: FileSystem, path: string): Promise<Buffer | undefined> {
  try {
    const file = await fs.open(path, 'read')
    try {
      return decode(await readThrough(file, 0, await file.size()))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
