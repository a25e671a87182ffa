import type { BootTime, OutboxNotes as NotesOfAny, OutboxOf } from '../src/outbox/outbox.ts'
import type { Reading } from '../src/reading.ts'

export type { Learned } from '../src/outbox/outbox.ts'

/**
 * What this Pi has measured and what is not known to be in the table. A reading enters when it is taken
 * and leaves when the device's ledger lists it as committed, or when the outbox is over its limit and has
 * to give it up, which a later reading then declares by its `after`.
 *
 * What *may* have been sent is known longer than a run, see `sent-mark.ts`.
 */
export interface Outbox extends OutboxOf<Reading> {
  /** What it holds survives the end of the program. */
  readonly durable: boolean
  /** Readings held back until `settle`. */
  readonly heldBack: number
  /** Readings given up since the start. */
  readonly givenUp: number

  /** Rejects when what it holds may be lost from here on: the process must end. Never settles otherwise. */
  readonly failed: Promise<never>

  /**
   * Lets go of what is held back, each reading with the time `correct` gives it. What they then say is durable before the
   * first of them is sent, so that they say it for ever. Gives how many there were.
   */
  settle(correct: (reading: Reading, takenAt: BootTime) => Reading): Promise<number>

  readonly notes: OutboxNotes
  /** Durable soon, where the outbox is. */
  note(change: Partial<OutboxNotes>): void

  close(): Promise<void>
}

/** What has to outlive a run beside the readings. Until a bridge was heard only the newest of them are kept. */
export interface OutboxNotes extends NotesOfAny {
  /** How far the waiting for the clock has come, by the boot clock: from the first connection of that boot. */
  readonly clock_wait: { readonly boot: string; readonly since: number | null; readonly over: boolean } | null
  /** Epoch milliseconds of the newest reading whose time is known to be right: an earlier clock is surely wrong. */
  readonly newest_ms: number | null
}

/** Epoch milliseconds of a reading whose time can be trusted. */
export function trustedTime({ clock, datetimestamp }: Reading): number | undefined {
  return clock === 'unsynced' || datetimestamp === null ? undefined : Date.parse(datetimestamp)
}
