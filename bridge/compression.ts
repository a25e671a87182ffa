import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { SnowhatError } from '../src/errors.ts'

/** How rows are compressed on the wire, by their names in HTTP. */
export type Encoding = 'gzip' | 'zstd'

/** The setting. */
export type Compression = 'auto' | Encoding

interface Codec {
  readonly pack: (bytes: Buffer) => Buffer
  /** On another thread. */
  readonly packAside: (bytes: Buffer) => Promise<Buffer>
  readonly unpack: (bytes: Buffer) => Buffer
}

/** Compressed in less time than it takes to hand it to another thread and back, twice over. */
const SMALL = 128 * 1024
/** The rows are alike, more effort saves little. */
const FASTEST = { level: 1 }
const gzipAside = promisify(zlib.gzip)

const GZIP: Codec = {
  pack: (bytes) => zlib.gzipSync(bytes, FASTEST),
  packAside: (bytes) => gzipAside(bytes, FASTEST),
  unpack: (bytes) => zlib.gunzipSync(bytes),
}
const ZSTD = zstdOf(zlib)
/** The first bytes of a frame of it, RFC 8878. */
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/**
 * What a setting means here. zstd takes a third of gzip's processor time and gives half the bytes [measured, bench/compression.ts, at
 * 100 rows on Node 24]; Snowflake takes both [documented].
 */
export function encodingOf(setting: Compression): Encoding {
  if (setting !== 'auto') return setting
  return ZSTD === undefined ? 'gzip' : 'zstd'
}

/** Throws `E_CONFIG_INVALID`. */
export function checkCompression(setting: Compression): void {
  if (setting !== 'zstd' || ZSTD !== undefined) return
  throw new SnowhatError('E_CONFIG_INVALID', `batch.compression is zstd, and Node ${process.versions.node} has none`, {
    hint: 'Node has it from 22.15 on; auto takes gzip where it is missing',
  })
}

export async function compressed(bytes: Buffer, encoding: Encoding): Promise<Buffer> {
  const codec = codecOf(encoding)
  return bytes.length <= SMALL ? codec.pack(bytes) : codec.packAside(bytes)
}

/** What `compressed` has made, whichever it was. */
export function decompressed(bytes: Buffer): Buffer {
  return codecOf(bytes.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC) ? 'zstd' : 'gzip').unpack(bytes)
}

function codecOf(encoding: Encoding): Codec {
  if (encoding === 'gzip') return GZIP
  if (ZSTD === undefined) throw new RangeError('this Node has no zstd')
  return ZSTD
}

function zstdOf(module: object): Codec | undefined {
  if (!('zstdCompressSync' in module)) return undefined
  const { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } = module as unknown as {
    readonly constants: { readonly ZSTD_c_compressionLevel: number }
    readonly zstdCompress: (bytes: Buffer, options: object, done: (error: Error | null, out: Buffer) => void) => void
    readonly zstdCompressSync: (bytes: Buffer, options: object) => Buffer
    readonly zstdDecompressSync: (bytes: Buffer) => Buffer
  }
  const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
  return {
    pack: (bytes) => zstdCompressSync(bytes, options),
    packAside: (bytes) => promisify(zstdCompress)(bytes, options),
    unpack: zstdDecompressSync,
  }
}
