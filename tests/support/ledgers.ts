import type { Ledger } from '../../src/ledger.ts'

/** A ledger as another bridge may have left it. */
export function ledger(over: Partial<Ledger> = {}): Ledger {
  return {
    id: 1,
    instance: 'old1',
    incarnation: null,
    runs: [],
    streams: {},
    counters: {
      received: 0,
      redelivered: 0,
      declared_gaps: 0,
      undeclared_gaps: 0,
      late: 0,
      rejected: 0,
      dead_letters: 0,
    },
    lag_rows: 0,
    lag_seconds: 0,
    last_commit_at: null,
    ...over,
  }
}
