import { isUtf8 } from 'node:buffer'
import type { KeptLetter } from './letter-record.ts'

/** One line of `snowhat deadletters export`, and what the bridge's log holds of a letter the disk did not take. */
export interface LetterJson {
  /** Its number in the spool directory. */
  readonly number?: number
  /** ISO 8601 UTC. */
  readonly at: string
  readonly device: string
  readonly topic: string
  readonly code: string
  readonly reason: string
  readonly stream?: string
  readonly seq?: number
  /** The payload where it is text … */
  readonly payload?: string
  /** … and where it is not. */
  readonly payload_base64?: string
  /** Bytes the payload had, when only its beginning was kept. */
  readonly cut_from?: number
  /** When it was replayed. */
  readonly replayed_at?: string
}

export function letterJson(
  letter: KeptLetter & { readonly number?: number | undefined; readonly replayedAt?: number | undefined },
): LetterJson {
  const { number, device, topic, code, reason, payload, position, cutFrom, replayedAt } = letter
  return {
    ...(number !== undefined && { number }),
    at: new Date(letter.at).toISOString(),
    device,
    topic,
    code,
    reason,
    ...position,
    ...(isUtf8(payload) ? { payload: payload.toString('utf8') } : { payload_base64: payload.toString('base64') }),
    ...(cutFrom !== undefined && { cut_from: cutFrom }),
    ...(replayedAt !== undefined && { replayed_at: new Date(replayedAt).toISOString() }),
  }
}
