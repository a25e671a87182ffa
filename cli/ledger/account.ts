import { IntervalSet } from '../../src/intervals.ts'
import type { Ledger } from '../../src/ledger.ts'
import type { BytesOnPage, DeviceOnPage, HoldOnPage } from './bridge-page.ts'

/** One device in numbers. */
export interface Account {
  readonly hostname: string
  /** Numbered by the publisher so far, over the streams the ledger lists. */
  readonly published: number
  /** Taken in by this bridge. */
  readonly received: number
  /** In the bridge's spool or in the table. */
  readonly spooled: number
  /** In the table, or kept as a dead letter: the ledger does not tell them apart. */
  readonly committed: number
  /** Readings nobody has declared given up, and nobody has. */
  readonly missing: number
  readonly declared_gaps: number
  readonly redelivered: number
  readonly late: number
  readonly rejected: number
  readonly dead_letters: number
  readonly lag_rows: number
  readonly lag_seconds: number
  readonly last_commit_at: string | null
  /** `null`: the bridge's page did not answer. */
  readonly lane: string | null
  readonly hold: HoldOnPage | null
  readonly bytes: BytesOnPage | null
  readonly ledger: Ledger
}

/** `page`: the same device as the bridge's page shows it, which may be another bridge's. */
export function accountOf(hostname: string, ledger: Ledger, page: DeviceOnPage | undefined): Account {
  const streams = Object.values(ledger.streams)
  const sum = (count: (spooled: IntervalSet, committed: IntervalSet) => number) =>
    streams.reduce((total, state) => total + count(new IntervalSet(state.spooled), new IntervalSet(state.committed)), 0)
  const own = page?.ledger.instance === ledger.instance ? page : undefined
  const { counters } = ledger
  return {
    hostname,
    published: sum((spooled) => spooled.max ?? 0),
    received: counters.received,
    spooled: sum((spooled) => spooled.size),
    committed: sum((_, committed) => committed.size),
    missing: counters.undeclared_gaps,
    declared_gaps: counters.declared_gaps,
    redelivered: counters.redelivered,
    late: counters.late,
    rejected: counters.rejected,
    dead_letters: counters.dead_letters,
    lag_rows: ledger.lag_rows,
    lag_seconds: ledger.lag_seconds,
    last_commit_at: ledger.last_commit_at,
    lane: own?.lane ?? null,
    hold: own?.hold ?? null,
    bytes: own?.bytes ?? null,
    ledger,
  }
}

/** Nothing is missing, and nothing waits for a person. */
export function isWell({ missing, hold }: Account): boolean {
  return missing === 0 && hold === null
}
