import { crc32 } from 'node:zlib'

/**
 * The bytes of one record. Little-endian:
 *
 *   0   CRC-32 of everything after it
 *   4   length of everything after it: 8 + body, so never 0, and zeros (space never written) are no frame
 *   8   sequence number, 7 bytes
 *   15  kind
 *   16  body
 *
 * The CRC comes first so that it covers the length too: a damaged length is found as surely as a damaged body.
 */
export const FRAME_OVERHEAD = 16

/** More than any segment holds. What claims to be longer is damage, found without allocating anything. */
const LONGEST = 0x4000_0000

const AFTER_CRC = 4
const AFTER_LENGTH = 8

export const KIND = {
  record: 1,
  /** A record, and the word that everything before it in the file was durable before it was written. */
  recordAfterSync: 2,
  /** Only that word; its number is that of the next record. A log that was closed ends in one. */
  mark: 3,
} as const

export type Kind = (typeof KIND)[keyof typeof KIND]

export interface Frame {
  readonly kind: Kind
  readonly sequence: number
  /** A view of the bytes it was read from. */
  readonly body: Uint8Array
  /** Where the next frame begins. */
  readonly end: number
}

/** `cut`: the bytes end before the frame does, as far as its length can be believed. */
export type NoFrame = 'cut' | 'damaged'

/** Writes a frame at `at`, where there must be room for it, and gives its end. */
export function encodeFrame(into: Buffer, at: number, kind: Kind, sequence: number, body: Uint8Array): number {
  const end = at + FRAME_OVERHEAD + body.length
  put32(into, at + 4, end - at - AFTER_LENGTH)
  put32(into, at + 8, sequence)
  put32(into, at + 12, Math.floor(sequence / 0x1_0000_0000) | (kind << 24))
  into.set(body, at + FRAME_OVERHEAD)
  put32(into, at, checksum(into, at, end))
  return end
}

/** Turns the frame at `at` into another kind. */
export function restampFrame(into: Buffer, at: number, kind: Kind): void {
  into[at + 15] = kind
  put32(into, at, checksum(into, at, at + AFTER_LENGTH + into.readUInt32LE(at + 4)))
}

export function decodeFrame(bytes: Buffer, at: number): Frame | NoFrame {
  const end = frameEnd(bytes, at)
  if (end === undefined) return bytes.length - at < FRAME_OVERHEAD ? 'cut' : 'damaged'
  if (end > bytes.length) return 'cut'
  if (checksum(bytes, at, end) !== bytes.readUInt32LE(at)) return 'damaged'
  const kind = kindOf(bytes, at)
  if (kind === undefined) return 'damaged'
  return { kind, sequence: sequenceOf(bytes, at), body: bytes.subarray(at + FRAME_OVERHEAD, end), end }
}

/** Where the frame at `at` ends if its length is true; `undefined` if that is absurd or not there. */
export function frameEnd(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < FRAME_OVERHEAD) return undefined
  const length = bytes.readUInt32LE(at + 4)
  return length < FRAME_OVERHEAD - AFTER_LENGTH || length > LONGEST ? undefined : at + AFTER_LENGTH + length
}

/** The number the frame at `at` claims, before its CRC is checked. There must be FRAME_OVERHEAD bytes. */
export function sequenceOf(bytes: Buffer, at: number): number {
  return (bytes.readUInt32LE(at + 12) & 0xff_ffff) * 0x1_0000_0000 + bytes.readUInt32LE(at + 8)
}

/** A plain view: making a Buffer of it would cost three times as much, and this runs for every record. */
function checksum(bytes: Buffer, at: number, end: number): number {
  return crc32(new Uint8Array(bytes.buffer, bytes.byteOffset + at + AFTER_CRC, end - at - AFTER_CRC))
}

/** The low 32 bits of a whole number. */
function put32(into: Uint8Array, at: number, value: number): void {
  into[at] = value
  into[at + 1] = value >>> 8
  into[at + 2] = value >>> 16
  into[at + 3] = value >>> 24
}

function kindOf(bytes: Buffer, at: number): Kind | undefined {
  const kind = bytes[at + 15]
  return kind === KIND.record || kind === KIND.recordAfterSync || kind === KIND.mark ? kind : undefined
}
