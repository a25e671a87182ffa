/*
 * zstd frames put together by hand (RFC 8878): blocks that are stored or one repeated byte. Any decoder must read them, and no
 * compressor is needed.
 */

export type Block = { readonly stored: Uint8Array } | { readonly repeated: number; readonly times: number }

export interface FrameOptions {
  /** With a window of its own, as from a stream; else the frame says how much it holds. */
  readonly windowLog?: number
  /** How much the frame says it holds, in the place of the truth. */
  readonly says?: number
  readonly checksum?: boolean
}

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** The most a block can hold. */
const BLOCK_BYTES = 128 * 1024

/** One frame of stored blocks. */
export function zstdFrame(content: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const bytes = Buffer.from(content)
  const blocks: Block[] = []
  for (let at = 0; at < bytes.length || at === 0; at += BLOCK_BYTES)
    blocks.push({ stored: bytes.subarray(at, at + BLOCK_BYTES) })
  return frameOf(blocks, options)
}

export function frameOf(blocks: readonly Block[], { windowLog, says, checksum = false }: FrameOptions = {}): Buffer {
  const size = blocks.reduce((sum, block) => sum + ('stored' in block ? block.stored.length : block.times), 0)
  const contentSize = Buffer.alloc(8)
  contentSize.writeBigUInt64LE(BigInt(says ?? size))
  const head =
    windowLog === undefined
      ? [Buffer.from([0xe0 | (checksum ? 4 : 0)]), contentSize]
      : [Buffer.from([checksum ? 4 : 0, (windowLog - 10) << 3])]
  const body = blocks.flatMap((block, i) => blockOf(block, i === blocks.length - 1))
  // Nobody here looks at the checksum's value.
  return Buffer.concat([MAGIC, ...head, ...body, Buffer.alloc(checksum ? 4 : 0)])
}

/** A frame that decoders pass over. */
export function skippable(bytes: number): Buffer {
  const frame = Buffer.alloc(8 + bytes)
  frame.writeUInt32LE(0x184d2a53, 0)
  frame.writeUInt32LE(bytes, 4)
  return frame
}

function blockOf(block: Block, isLast: boolean): Uint8Array[] {
  const [type, size, content] =
    'stored' in block ? [0, block.stored.length, block.stored] : [1, block.times, Buffer.from([block.repeated])]
  const header = Buffer.alloc(3)
  header.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3)
  return [header, content]
}
