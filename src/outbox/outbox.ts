import type { StreamSets } from '../ledger.ts'

/** What every reading that is kept until a ledger lists it bears: its place in a stream. */
export interface Numbered {
  /** 8 of `[0-9a-z]`. */
  readonly stream: string
  /** From 1 on, by one. */
  readonly seq: number
  /** `<stream>.<seq>` of the reading before it, where that is not (`stream`, `seq` − 1). */
  readonly after?: string | null
}

/** A moment by a clock that nobody sets: two of one boot of the machine can be compared, those of different ones cannot. */
export interface BootTime {
  readonly boot: string
  readonly ms: number
}

/**
 * What is kept until the device's ledger lists it as committed, as far as a sender has to know: which readings are to be
 * sent next and again, and which may leave. Whether a reading was sent is known for this run only: after a start nothing was.
 */
export interface OutboxOf<T extends Numbered> {
  /** Readings held. */
  readonly size: number
  /** Readings held that are to be sent, for the first time or again; not those held back. */
  readonly unsent: number
  /** Readings held that no ledger has shown as spooled. */
  readonly unspooled: number

  /**
   * Keeps a reading. It is durable when this resolves as far as the store promises it, and is not sent before. One with
   * `takenAt` is held back, and all after it: its time may yet be corrected, and until it is let go it was surely not sent.
   */
  append(reading: T, takenAt?: BootTime): Promise<void>

  /**
   * The next readings to send, oldest first, at most as many and as many bytes as said (but always one),
   * each with the `after` it has to carry. They count as sent, together, from here on.
   */
  take(limit: { readonly readings: number; readonly bytes: number }): Promise<T[]>

  /** Learns from a ledger: what is committed leaves. `spooled` of the last ledger is what later calls go by. */
  learn(spooled: StreamSets, committed: StreamSets): Promise<Learned>

  /** Back to the first reading not spooled, or not committed: it and all later ones are sent again. Gives how many. */
  rewind(to: 'unspooled' | 'uncommitted'): number

  /** Readings that were sent before one that `spooled` has, and that it has not, were lost on the way. Gives how many. */
  resendSkipped(): number

  readonly notes: OutboxNotes
  note(change: Partial<OutboxNotes>): void
}

export interface Learned {
  /** How many left as committed. */
  readonly released: number
  /** How many are newly known to be spooled. */
  readonly spooled: number
}

/** What is to be remembered beside the readings. */
export interface OutboxNotes {
  /** A bridge was heard. */
  readonly bridge_seen: boolean
}
