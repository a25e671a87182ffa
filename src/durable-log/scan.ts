import { decodeFrame, FRAME_OVERHEAD, type Frame, frameEnd, KIND, sequenceOf } from './frame.ts'

/** What stands in the bytes of a segment, one after the other. */
export type Found = FoundFrame | Damage

export interface FoundFrame {
  readonly at: number
  readonly frame: Frame
}

export interface Damage {
  readonly at: number
  readonly end: number
  readonly frame?: undefined
  /** The record that should stand here. */
  readonly sequence: number
  /** How many records are missing: as the next one found tells, 0 when none is. */
  readonly records: number
}

/**
 * Reads a segment from `at` on, where record `expected` should begin. After damage it goes on at the next place where
 * a whole frame stands with a right CRC and a number that can be there. That is the frame behind the damaged one if the
 * length of that can be trusted, and does not give up the rest of the segment if it cannot.
 */
export function* scan(bytes: Buffer, at: number, expected: number): Generator<Found> {
  let next = expected
  while (at < bytes.length) {
    const frame = expectedFrame(bytes, at, next)
    if (frame !== undefined) {
      yield { at, frame }
      if (frame.kind !== KIND.mark) next++
      at = frame.end
      continue
    }
    const found = findFrame(bytes, at + 1, at, next)
    yield { at, end: found ?? bytes.length, sequence: next, records: found ? sequenceOf(bytes, found) - next : 0 }
    if (found === undefined) return
    next = sequenceOf(bytes, found)
    at = found
  }
}

function expectedFrame(bytes: Buffer, at: number, sequence: number): Frame | undefined {
  const frame = decodeFrame(bytes, at)
  return typeof frame === 'string' || frame.sequence !== sequence ? undefined : frame
}

/**
 * A number that can be there is not below the expected one, nor further above it than frames have room in the damage.
 * Eight bytes that have to be so are what makes looking at every offset cheap and a false find improbable.
 */
function findFrame(bytes: Buffer, from: number, damagedAt: number, expected: number): number | undefined {
  for (let at = from; at + FRAME_OVERHEAD <= bytes.length; at++) {
    const end = frameEnd(bytes, at)
    if (end === undefined || end > bytes.length) continue
    const sequence = sequenceOf(bytes, at)
    if (sequence < expected || sequence > expected + (at - damagedAt) / FRAME_OVERHEAD) continue
    if (typeof decodeFrame(bytes, at) !== 'string') return at
  }
  return undefined
}
