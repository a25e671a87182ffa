import { compareTokens, type OffsetToken } from '../offset-token.ts'
import type { FrozenBatch } from './batch.ts'

/** A channel whose rows stay uncommitted this long is opened anew. */
const COMMIT_TIMEOUT_MS = 120_000

/**
 * What of a device's rows is with Snowflake, or on its way there. `mayBeTaken` is false only where no row that waits can be in the
 * table. Times are monotonic.
 */
export class UnderWay {
  #appended = 0
  #inFlight: FrozenBatch | undefined
  /** Snowflake has refused the batch in flight each time, and it is not under way just now. */
  #isRefused = false
  /** What was sent before this opening may be in the table, and Snowflake has not said since. */
  #isUnsettled = false
  #progressAt = 0
  #untakenSince: number | undefined
  #takenAt: number | undefined

  /** Rows at the head of the spool that this opening has appended. */
  get appended(): number {
    return this.#appended
  }

  /** The same, and those of the batch in flight. */
  get rows(): number {
    return this.#appended + (this.#inFlight?.rows ?? 0)
  }

  get any(): boolean {
    return this.#appended > 0 || this.#inFlight !== undefined
  }

  get mayBeTaken(): boolean {
    return this.#isUnsettled || this.#appended > 0 || (this.#inFlight !== undefined && !this.#isRefused)
  }

  /** Since when rows wait and Snowflake has taken none. */
  get untakenSince(): number | undefined {
    return this.#untakenSince
  }

  /** When Snowflake last took something. */
  get takenAt(): number | undefined {
    return this.#takenAt
  }

  /** So many rows wait now, with those that are under way. */
  waits(rows: number, now: number): void {
    // The first rows after none.
    if (rows > 0) this.#untakenSince ??= now
    else this.#untakenSince = undefined
  }

  /** The channel is to be opened: nothing is under way in it, and what was has not been settled. */
  begin(): void {
    this.#isUnsettled = this.mayBeTaken
    this.#inFlight = undefined
    this.#appended = 0
  }

  /** The channel is open. What is not committed at an opening never will be; but counts may have disagreed. */
  settled(agreed: boolean, now: number): void {
    this.#isUnsettled = !agreed
    this.#progressAt = now
  }

  sent(batch: FrozenBatch): void {
    this.#inFlight = batch
    this.#isRefused = false
  }

  /** Whether the batch in flight was refused each time it was sent, and is not being sent now. */
  refused(isRefused: boolean): void {
    this.#isRefused = isRefused
  }

  /** Snowflake has not taken the batch in flight and will not take it in one piece. */
  withdrawn(): void {
    this.#inFlight = undefined
  }

  /** Snowflake has answered that it has the batch in flight. */
  taken(now: number): void {
    if (this.#appended === 0) this.#progressAt = now
    this.#appended += this.#inFlight?.rows ?? 0
    this.#inFlight = undefined
    this.#takenAt = now
    this.#untakenSince = now
  }

  /** The batch in flight is committed by this, and its answer has not come: until then its rows are not counted as sent. */
  isAnswerDue(committed: OffsetToken): boolean {
    return this.#inFlight !== undefined && compareTokens(this.#inFlight.last, committed) <= 0
  }

  /** So many rows have left the spool. */
  committed(rows: number, now: number): void {
    this.#appended = Math.max(0, this.#appended - rows)
    this.#progressAt = now
  }

  /** A commit is overdue. A batch that Snowflake has not taken yet is the append's own matter. */
  isLate(now: number): boolean {
    return this.#appended > 0 && now - this.#progressAt > COMMIT_TIMEOUT_MS
  }
}
