import type { BridgeInfo } from '../../src/bridge-info.ts'
import type { BudgetLevel } from '../cost/budget.ts'
import { costOf, isPriced } from '../cost/cost.ts'
import type { DeadLetters } from '../dead-letters/dead-letters.ts'
import type { Reach } from '../snowpipe/reach.ts'
import type { Ailment } from './ailments.ts'
import { ALERT_CODES, type Alert, type AlertCode } from './alerts.ts'
import { type FindingParts, lagMs } from './findings.ts'
import type { Rate } from './rate.ts'
import type { Day, Today } from './today.ts'

/**
 * How the bridge is: the answer to `/api/health` and to the request `health`, and what is retained on `bridge/health`.
 * Every key is always there. Times are ISO 8601 UTC.
 */
export interface Health extends BridgeInfo {
  /** Nothing of `reasons`, which are of this very moment. */
  readonly healthy: boolean
  readonly reasons: readonly Ailment[]
  /** Codes of all that holds rows back at this moment. */
  readonly problems: readonly string[]
  /** One of `alerts` stands. They last a little longer than what they tell of, so that nothing flaps. */
  readonly problem: boolean
  readonly problem_since: string | null
  readonly problem_reasons: readonly string[]
  readonly alerts: Readonly<Record<AlertCode, boolean>>
  readonly mqtt_connected: boolean
  readonly target: string
  readonly snowflake: {
    /** `null`: not known, because nothing was asked for long. */
    readonly reachable: boolean | null
    readonly answered_at: string | null
    /** How far its clock is ahead of this machine's, where signing in has to correct that; 0 where not. */
    readonly clock_skew_seconds: number
  }
  readonly devices: number
  /** Rows that got into the table, per second over the last minute. */
  readonly rows_per_second: number
  readonly rows_waiting: number
  /** Age of the oldest row that waits. */
  readonly lag_seconds: number
  readonly last_commit_at: string | null
  /** What it knows survives its process. */
  readonly spool_on_disk: boolean
  readonly spool_bytes: number
  /** Since midnight, local time. */
  readonly today: {
    readonly since: string
    readonly missing: number
    readonly rejected: number
    /** Sent, before compression. */
    readonly bytes: number
    /** What Snowflake counts of them, estimated. */
    readonly billed_bytes: number
    /** `null` where the settings name no price. */
    readonly cost: number | null
  }
  /** What this month will have cost at its end; `null` also where nothing is known yet. */
  readonly cost_month: number | null
  /** What it has cost so far. */
  readonly cost_so_far: number | null
  /** `null`: the settings name none. */
  readonly budget: number | null
  readonly budget_level: BudgetLevel | null
  /** The devices that have cost most this month, the dearest first. */
  readonly dearest: readonly { readonly device: string; readonly billed_bytes: number; readonly cost: number | null }[]
  readonly currency: string
  readonly credential_expires_at: string | null
  readonly redelivered: number
  readonly channels_reopened: number
  readonly rows_replayed: number
  readonly dead_letters: number
  readonly dead_letters_by_code: Readonly<Record<string, number>>
  readonly dead_letters_dropped: number
}

export interface HealthParts extends FindingParts {
  readonly target: string
  readonly info: () => BridgeInfo
  readonly connected: () => boolean
  readonly deadLetters: DeadLetters
  readonly reach: Reach
  readonly rate: Rate
  readonly today: Pick<Today, 'now' | 'lookAtBudget' | 'devices'>
}

/** Named among those that cost most. */
const DEAREST = 5

export interface Moment {
  readonly reasons: readonly Ailment[]
  readonly alerts: readonly Alert[]
  readonly again: { readonly channels_reopened: number; readonly rows_replayed: number }
}

export function healthOf(parts: HealthParts, { reasons, alerts, again }: Moment): Health {
  const { deadLetters, lanes, reach, spool } = parts
  const now = parts.clock.now()
  const devices = [...spool.devices()]
  const standing = new Set(alerts.map(({ code }) => code))
  return {
    ...parts.info(),
    healthy: reasons.length === 0,
    reasons,
    problems: [...new Set([...lanes.trouble.codes, ...reasons.map(({ code }) => code)])],
    problem: alerts.length > 0,
    problem_since: iso(alerts.length === 0 ? null : Math.min(...alerts.map(({ since }) => since))),
    problem_reasons: alerts.map(({ message }) => message),
    alerts: Object.fromEntries(ALERT_CODES.map((code) => [code, standing.has(code)])) as Health['alerts'],
    mqtt_connected: parts.connected(),
    target: parts.target,
    snowflake: {
      reachable: reach.reachable,
      answered_at: iso(reach.answeredAt),
      clock_skew_seconds: Math.round(parts.identity.clockSkewMs / 1000),
    },
    devices: devices.length,
    rows_per_second: parts.rate.perSecond(),
    rows_waiting: devices.reduce((sum, device) => sum + device.waiting, 0),
    lag_seconds: Math.round(lagMs(parts, now) / 100) / 10,
    last_commit_at: iso(devices.reduce((last: number | null, d) => later(last, d.lastCommitAt), null)),
    spool_on_disk: spool.durable,
    spool_bytes: spool.bytes,
    ...countsOf(parts),
    credential_expires_at: iso(parts.identity.expiresAt),
    redelivered: devices.reduce((sum, device) => sum + device.counters.redelivered, 0),
    ...again,
    dead_letters: deadLetters.total,
    dead_letters_by_code: Object.fromEntries(deadLetters.byCode),
    dead_letters_dropped: deadLetters.dropped,
  }
}

function countsOf({ cost, today }: HealthParts) {
  const { start, missing, rejected, bytes, billed }: Day = today.now
  const price = (amount: number) => (isPriced(cost) ? costOf(amount, cost) : null)
  const month = today.lookAtBudget(cost)
  return {
    today: {
      since: new Date(start).toISOString(),
      missing,
      rejected,
      bytes,
      billed_bytes: billed,
      cost: price(billed),
    },
    cost_month: month.atEnd,
    cost_so_far: month.soFar,
    budget: month.budget,
    budget_level: month.level,
    dearest: today.devices
      .top(DEAREST)
      .map(({ hostname, billedMonth }) => ({ device: hostname, billed_bytes: billedMonth, cost: price(billedMonth) })),
    currency: cost.currency,
  } satisfies Partial<Health>
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
