import type { BridgeTotals } from './bridge.ts'
import { gapsOf } from './ledger/ledger-of.ts'
import type { Spool } from './spool/spool.ts'

/** What the counters of all devices come to. */
export function totalsOf(spool: Spool): Omit<BridgeTotals, 'committed' | 'deadLetters'> {
  const totals = { received: 0, redelivered: 0, rejected: 0, missing: 0, waiting: 0 }
  for (const device of spool.devices()) {
    totals.received += device.counters.received
    totals.redelivered += device.counters.redelivered
    totals.rejected += device.counters.rejected
    totals.missing += gapsOf(device).undeclared_gaps
    totals.waiting += device.waiting
  }
  return totals
}
