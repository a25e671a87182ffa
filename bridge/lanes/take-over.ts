import { type Ledger, StreamSets } from '../../src/ledger.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { AgreedCounts } from './row-account.ts'

/** What a take-over has found out. */
export interface TakeOver {
  /** Known to be in the table. */
  readonly known: StreamSets
  /** Given up by the publisher, as the ledgers say: a spool that is new has not heard it. */
  readonly declared?: StreamSets | undefined
  /** Readings that left this spool and are not in the table: their old records are void, should the Pi bring them again or not. */
  readonly forgotten?: StreamSets | undefined
  /** The committed token, as Snowflake gave it. */
  readonly at: string | null
  /** The largest ordinal anybody has used. */
  readonly highestOrdinal: number
  /** `created_on_ms` of the channel. */
  readonly incarnation: number | null
  /** The channel's counts at that token. */
  readonly agreed: AgreedCounts
}

/**
 * What is known to be in the table when a bridge finds a channel it did not fill: all that the retained ledgers
 * list as committed, and of their runs those of the committed token's owner that lie below the token.
 * `declared` is what they say was given up. `highestOrdinal` is the largest ordinal anybody has used: new tokens go above it.
 */
export function knownAtTakeOver(
  committed: OffsetToken | null,
  ledgers: readonly Ledger[],
): { known: StreamSets; declared: StreamSets; highestOrdinal: number } {
  const known = new StreamSets()
  const declared = new StreamSets()
  for (const ledger of ledgers) {
    known.addAll(StreamSets.from(ledger, 'committed'))
    declared.addAll(StreamSets.from(ledger, 'declared'))
  }
  let highestOrdinal = committed?.ordinal ?? 0
  for (const run of ledgers.flatMap(({ runs }) => runs)) {
    highestOrdinal = Math.max(highestOrdinal, run.ordinal)
    if (committed === null || run.owner !== committed.owner) continue
    if (run.ordinal < committed.ordinal) known.add(run.stream, run.first, run.last)
    else if (run.ordinal === committed.ordinal && committed.seq >= run.first)
      known.add(run.stream, run.first, committed.seq)
  }
  return { known, declared, highestOrdinal }
}
