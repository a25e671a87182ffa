import type { RefusalCode } from '../routes/route.ts'
import type { DeadLetter } from './dead-letters.ts'

/*
 * A dead letter as a record of the log: one line of JSON, and then the payload, byte for byte. So a payload is never
 * encoded, whatever it is.
 */

/** A dead letter as it is kept. */
export interface KeptLetter extends DeadLetter {
  /** Bytes the payload had, when it was too long to be kept whole. */
  readonly cutFrom?: number | undefined
}

interface Head {
  readonly at: number
  readonly device: string
  readonly topic: string
  readonly code: RefusalCode
  readonly reason: string
  readonly stream?: string
  readonly seq?: number
  readonly cut_from?: number
}

/** Text of others in a head; a topic has at most 64 KiB. */
const LONGEST_REASON = 1_000
const NEWLINE = 0x0a

/** At most `most` bytes: of a payload that is longer the beginning is kept. */
export function encodeLetter(letter: DeadLetter, most: number): Buffer {
  const { at, device, topic, code, payload, position } = letter
  const head: Head = { at, device, topic, code, reason: letter.reason.slice(0, LONGEST_REASON), ...position }
  const whole = Buffer.concat([lineOf(head), payload])
  if (whole.length <= most) return whole
  return Buffer.concat([lineOf({ ...head, cut_from: payload.length }), payload]).subarray(0, most)
}

/** Throws on what this version has not written: the log has checked the bytes, so it is another program's. */
export function decodeLetter(body: Uint8Array): KeptLetter {
  const bytes = Buffer.from(body)
  const end = bytes.indexOf(NEWLINE)
  const { stream, seq, cut_from: cutFrom, ...head } = JSON.parse(bytes.toString('utf8', 0, Math.max(0, end))) as Head
  return {
    ...head,
    payload: bytes.subarray(end + 1),
    ...(stream !== undefined && seq !== undefined && { position: { stream, seq } }),
    ...(cutFrom !== undefined && { cutFrom }),
  }
}

function lineOf(head: Head): Buffer {
  return Buffer.from(`${JSON.stringify(head)}\n`)
}
