import type { BatchSettings } from '../config.ts'
import { compareTokens, type OffsetToken } from '../offset-token.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import { planBatch, type Trigger } from './batch.ts'
import type { Halving } from './halving.ts'

export interface Readiness {
  /** Rows at the head of the spool that are with Snowflake. */
  readonly appended: number
  readonly halving: Halving
  readonly policy: BatchSettings
  /** Rows wait for nothing: a shutdown, or the first batch after an opening, which shows that the way is open. */
  readonly atOnce: boolean
  /** Up to this row nothing waits either. */
  readonly flushTo: OffsetToken | undefined
  /** More rows are on their way from the disk. */
  readonly isReading: boolean
  /** Monotonic. */
  readonly now: number
  /** A ledger that names the run of this ordinal is with the broker. */
  readonly isAnnounced: (ordinal: number) => boolean
}

/** What goes out next; when to look again; or `undefined` while the next rows are still on the disk. */
export type Next =
  | { readonly rows: readonly SpooledRow[]; readonly trigger: Trigger }
  | { readonly dueInMs: number }
  | 'unannounced'
  | undefined

/** Pure. A batch holds rows of announced runs only; those behind them follow with the next one. */
export function nextBatch(device: DeviceLog, readiness: Readiness): Next {
  const { appended, atOnce, flushTo, halving, isAnnounced, isReading, now, policy } = readiness
  const from = appended + halving.skip
  const most = halving.most(policy.max_rows)
  const waiting = device.rows.slice(from, from + most)
  if (waiting.length < most && isReading) return undefined
  const [next] = waiting
  const flushed = flushTo !== undefined && next !== undefined && compareTokens(next.token, flushTo) <= 0
  const plan = planBatch(waiting, policy, now, atOnce || flushed || halving.active)
  if (plan === undefined || 'dueInMs' in plan) return plan
  const rows = waiting.slice(0, plan.rows)
  const unannounced = rows.findIndex((row) => !isAnnounced(row.token.ordinal))
  if (unannounced === 0) return 'unannounced'
  return { rows: unannounced < 0 ? rows : rows.slice(0, unannounced), trigger: plan.trigger }
}
