import type { RefusalCode } from '../routes/route.ts'

/** A payload, or one element of an array, that can never become a row as it is. */
export interface DeadLetter {
  /** Empty when the topic names none. */
  readonly device: string
  readonly topic: string
  readonly code: RefusalCode
  /** One sentence. */
  readonly reason: string
  /** The original bytes. */
  readonly payload: Buffer
  /** Epoch milliseconds. */
  readonly at: number
  /** Where the reading stands in its stream, when that much could be read. */
  readonly position?: { readonly stream: string; readonly seq: number } | undefined
}

/**
 * What could not be read, kept with its reason so that a person can look at it, repair it and send it again.
 *
 * 1. A message is acknowledged only after `add` has resolved for its letters.
 * 2. Bounded: at the limit the oldest give way, and are counted.
 * 3. At least once: after a crash between the letter's commit and the acknowledgement the same message is a letter
 *    twice, unless its position is known; the intake does not repeat those.
 * 4. One broken message does not block the way of the others: what cannot be kept ends up in the bridge's log, whole.
 */
export interface DeadLetters {
  /**
   * Counts at once. Resolves when the letter is as durable as the implementation promises; rejects only with
   * `E_SHUTDOWN`, and then the message must not be acknowledged.
   */
  add(letter: DeadLetter): Promise<void>
  /** Newest first. */
  recent(limit: number): DeadLetter[]
  /** Those found at the start, and all since. */
  readonly total: number
  readonly byCode: ReadonlyMap<RefusalCode, number>
  /** The oldest that had to make room. */
  readonly dropped: number
  /** Those since the start that only the bridge's log holds, because the disk did not take them. */
  readonly unkept: number
  /** The last one could not be kept. */
  readonly failing: boolean
  close(): Promise<void>
}
