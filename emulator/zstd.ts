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
  checkFrames(body, maxBytes)
  const chunks: Uint8Array[] = []
  let bytes = 0
  const stream = new Decompress((chunk) => {
    bytes += chunk.length
    if (bytes > maxBytes) throw new RangeError(`it holds more than ${maxBytes} bytes`)
    chunks.push(chunk)
  })
  for (let at = 0; at < body.length; at += STEP_BYTES)
    stream.push(body.subarray(at, at + STEP_BYTES), at + STEP_BYTES >= body.length)
  return Buffer.concat(chunks, bytes)
}

/**
 * Walks the frames and their blocks without decoding any: the decoder takes a broken end for a good one, and takes memory for as
 * large a window as a header asks for.
 */
function checkFrames(body: Uint8Array, maxBytes: number): void {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  let at = 0
  while (at < body.length) {
    const magic = view.getUint32(at, true)
    if (magic >>> 4 === SKIPPABLE) at += 8 + view.getUint32(at + 4, true)
    else if (magic === FRAME) at = endOfFrame(view, at, maxBytes)
    else throw new SyntaxError('it does not begin with a zstd frame')
  }
  if (at === 0 || at > body.length) throw new SyntaxError('it ends in the middle')
}

/** Throws a `RangeError` when the frame goes beyond the view. */
function endOfFrame(view: DataView, start: number, maxBytes: number): number {
  const descriptor = view.getUint8(start + 4)
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  const afterWindow = start + 5 + (singleSegment ? 0 : 1)
  if (!singleSegment && windowBytes(view.getUint8(start + 5)) > MAX_WINDOW_BYTES)
    throw new RangeError(`it needs a window of more than ${MAX_WINDOW_BYTES} bytes`)
  // A single segment is its own window.
  if (singleSegment && contentBytes(view, afterWindow + dictionaryBytes, sizeBytes) > maxBytes)
    throw new RangeError(`it holds more than ${maxBytes} bytes`)
  let at = afterWindow + dictionaryBytes + sizeBytes
  for (let isLast = false; !isLast; ) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
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

function contentBytes(view: DataView, at: number, bytes: number): number {
  if (bytes === 8) return Number(view.getBigUint64(at, true))
  if (bytes === 4) return view.getUint32(at, true)
  return bytes === 2 ? view.getUint16(at, true) + 256 : view.getUint8(at)
}
