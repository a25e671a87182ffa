import type { StreamSets } from '../src/ledger.ts'
import type { Reading } from '../src/reading.ts'

/**
 * What this Pi has measured and what is not known to be in the table. A reading enters when it is taken
 * and leaves when the device's ledger lists it as committed, or when the outbox is over its limit and has
 * to give it up, which a later reading then declares by its `after`.
 *
 * Whether a reading was sent is known for this run only and is never stored: after a start nothing was.
 */
export interface Outbox {
  /** What it holds survives the end of the program. */
  readonly durable: boolean
  /** Readings held. */
  readonly size: number
  /** Readings held that are to be sent, for the first time or again. */
  readonly unsent: number
  /** Readings held that no ledger has shown as spooled. */
  readonly unspooled: number
  /** Readings given up since the start. */
  readonly givenUp: number

  /** Rejects when what it holds may be lost from here on: the process must end. Never settles otherwise. */
  readonly failed: Promise<never>

  /** Keeps a reading. It is durable when this resolves as far as the store promises it, and is not sent before. */
  append(reading: Reading): Promise<void>

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

  close(): Promise<void>
}

export interface Learned {
  /** How many left as committed. */
  readonly released: number
  /** How many are newly known to be spooled. */
  readonly spooled: number
}
