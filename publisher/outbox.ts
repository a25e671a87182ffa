import type { StreamSets } from '../src/ledger.ts'
import type { Reading } from '../src/reading.ts'
import type { BootTime } from './boot-clock.ts'

/**
 * What this Pi has measured and what is not known to be in the table. A reading enters when it is taken
 * and leaves when the device's ledger lists it as committed, or when the outbox is over its limit and has
 * to give it up, which a later reading then declares by its `after`.
 *
 * Whether a reading was sent is known for this run only: after a start nothing was. (What *may* have been sent is known
 * longer, see `sent-mark.ts`.)
 */
export interface Outbox {
  /** What it holds survives the end of the program. */
  readonly durable: boolean
  /** Readings held. */
  readonly size: number
  /** Readings held that are to be sent, for the first time or again; not those held back. */
  readonly unsent: number
  /** Readings held that no ledger has shown as spooled. */
  readonly unspooled: number
  /** Readings held back until `settle`. */
  readonly heldBack: number
  /** Readings given up since the start. */
  readonly givenUp: number

  /** Rejects when what it holds may be lost from here on: the process must end. Never settles otherwise. */
  readonly failed: Promise<never>

  /**
   * Keeps a reading. It is durable when this resolves as far as the store promises it, and is not sent before. One with
   * `takenAt` is held back, and all after it: its time may yet be corrected, and until `settle` it was surely not sent.
   */
  append(reading: Reading, takenAt?: BootTime): Promise<void>

  /**
   * Lets go of what is held back, each reading with the time `correct` gives it. What they then say is durable before the
   * first of them is sent, so that they say it for ever. Gives how many there were.
   */
  settle(correct: (reading: Reading, takenAt: BootTime) => Reading): Promise<number>

  /**
   * The next readings to send, oldest first, at most as many and as many bytes as said (but always one),
   * each with the `after` it has to carry. They count as sent, together, from here on.
   */
  take(limit: { readonly readings: number; readonly bytes: number }): Promise<Reading[]>

  /** Learns from a ledger: what is committed leaves. `spooled` of the last ledger is what later calls go by. */
  learn(spooled: StreamSets, committed: StreamSets): Promise<Learned>

  /** Back to the first reading not spooled, or not committed: it and all later ones are sent again. Gives how many. */
  rewind(to: 'unspooled' | 'uncommitted'): number

  /** Readings that were sent before one that `spooled` has, and that it has not, were lost on the way. Gives how many. */
  resendSkipped(): number

  readonly notes: OutboxNotes
  /** Durable soon, where the outbox is. */
  note(change: Partial<OutboxNotes>): void

  close(): Promise<void>
}

export interface Learned {
  /** How many left as committed. */
  readonly released: number
  /** How many are newly known to be spooled. */
  readonly spooled: number
}

/** What has to outlive a run beside the readings. */
export interface OutboxNotes {
  /** A bridge was heard, in this run or before. Until then only the newest readings are kept. */
  readonly bridge_seen: boolean
  /** How far the waiting for the clock has come, by the boot clock: from the first connection of that boot. */
  readonly clock_wait: { readonly boot: string; readonly since: number | null; readonly over: boolean } | null
  /** Epoch milliseconds of the newest reading whose time is known to be right: an earlier clock is surely wrong. */
  readonly newest_ms: number | null
}

/** Epoch milliseconds of a reading whose time can be trusted. */
export function trustedTime({ clock, datetimestamp }: Reading): number | undefined {
  return clock === 'unsynced' || datetimestamp === null ? undefined : Date.parse(datetimestamp)
}
