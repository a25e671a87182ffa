import { Decompress } from 'fzstd'

/** Magic number of a frame, and of a skippable one but for its last four bits (RFC 8878, 3.1.1 and 3.1.2). */
const FRAME = 0xfd2fb528
const SKIPPABLE = 0x184d2a5
/** Window the reference decoder refuses to exceed on its own: 128 MB. */
const MAX_WINDOW_BYTES = 2 ** 27
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
/** Block types (RFC 8878, 3.1.1.2.2). */
const RLE = 1
const RESERVED = 3
/** Compressed bytes decoded before the size is looked at again. */
const STEP_BYTES = 64 * 1024

/**
 * What zstd frames hold, for a Node without zstd of its own (before 22.15). Stops with a `RangeError` as soon as it is more than
 * `maxBytes`; content checksums are passed over, not compared.
 */
export function zstdDecompressed(body: Uint8Array, maxBytes: number): Buffer {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (const frame of zstdFrames(body, maxBytes)) {
    const stream = new Decompress((chunk) => {
      bytes += chunk.length
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      chunks.push(chunk)
    })
    for (let at = 0; at < frame.length; at += STEP_BYTES)
      stream.push(frame.subarray(at, at + STEP_BYTES), at + STEP_BYTES >= frame.length)
  }
  return Buffer.concat(chunks, bytes)
}

/**
 * The frames of a body, one by one, without those to be skipped. Walks their blocks without decoding any: decoders take a body that was
 * cut off for a whole one and stop after the first frame (Node 22's), or take memory for as large a window as a header asks for (fzstd).
 * Throws a `SyntaxError` or a `RangeError`.
 */
export function zstdFrames(body: Uint8Array, maxBytes: number): Uint8Array[] {
  const frames: Uint8Array[] = []
  let at = 0
  do {
    const magic = numberAt(body, at, 4)
    const start = at
    if (magic >>> 4 === SKIPPABLE) at += 8 + numberAt(body, at + 4, 4)
    else if (magic === FRAME) at = endOfFrame(body, at, maxBytes)
    else throw new SyntaxError('it does not begin with a zstd frame')
    if (magic === FRAME) frames.push(body.subarray(start, at))
  } while (at < body.length)
  if (at > body.length) throw endsEarly()
  return frames
}

function endOfFrame(body: Uint8Array, start: number, maxBytes: number): number {
  const descriptor = numberAt(body, start + 4, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  const afterWindow = start + 5 + (isSingleSegment ? 0 : 1)
  if (!isSingleSegment && windowBytes(numberAt(body, start + 5, 1)) > MAX_WINDOW_BYTES)
    throw new RangeError(`it needs a window of more than ${MAX_WINDOW_BYTES} bytes`)
  // A single segment is its own window. The field of two bytes counts from 256.
  const size = numberAt(body, afterWindow + dictionaryBytes, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  if (size > maxBytes) throw tooLarge(maxBytes)
  let at = afterWindow + dictionaryBytes + sizeBytes
  for (let isLast = false; !isLast; ) {
    const header = numberAt(body, at, BLOCK_HEADER_BYTES)
    const type = (header >> 1) & 3
    if (type === RESERVED) throw new SyntaxError('it has a block of a type that does not exist')
    isLast = (header & 1) === 1
    at += BLOCK_HEADER_BYTES + (type === RLE ? 1 : header >> 3)
  }
  return at + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES)
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Little-endian. */
function numberAt(body: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > body.length) throw endsEarly()
  let value = 0
  for (let i = at + bytes - 1; i >= at; i -= 1) value = value * 256 + (body[i] as number)
  return value
}

function endsEarly(): SyntaxError {
  return new SyntaxError('it ends in the middle')
}

function tooLarge(maxBytes: number): RangeError {
  return new RangeError(`it holds more than ${maxBytes} bytes`)
}
