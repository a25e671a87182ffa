import { Counter, Gauge, type Registry } from 'prom-client'
import { HOLD_CODES } from '../lanes/decision.ts'
import { LANE_STATES } from '../lanes/lane.ts'
import { REFUSAL_CODES } from '../routes/route.ts'
import { AILMENT_CODES } from '../status/ailments.ts'
import { ALERT_CODES } from '../status/alerts.ts'
import type { Health, HealthParts } from '../status/health.ts'
import { readWhenAsked, type Sample } from './read-when-asked.ts'
import { codeLabel } from './snowflake-calls.ts'

export interface BridgeGaugeParts extends HealthParts {
  /** Rows the spool takes. */
  readonly spoolMaxBytes: number
}

/** How the bridge is, read when somebody asks. `health` is of that moment. */
export function measureBridge(parts: BridgeGaugeParts, health: () => Health, registry: Registry): void {
  const registers = [registry]
  const { counter, gauge, labelled } = readWhenAsked(registry)
  const { deadLetters, lanes, pressure, reach, spool } = parts
  new Gauge({
    name: 'snowhat_build_info',
    help: 'Always 1: what runs.',
    labelNames: ['version', 'instance', 'node'],
    registers,
    collect() {
      const { instance, version } = health()
      this.reset()
      this.set({ version, instance, node: process.versions.node }, 1)
    },
  })
  gauge('snowhat_healthy', '1 while /healthz is green.', () => Number(health().healthy))
  labelled('snowhat_ailment', '1 for each reason that makes /healthz red at this moment.', 'reason', () => {
    const standing = new Set<string>(health().reasons.map(({ code }) => code))
    return AILMENT_CODES.map((code) => [code, Number(standing.has(code))])
  })
  labelled('snowhat_alert', '1 for each alert that stands, as on bridge/health.', 'alert', () =>
    ALERT_CODES.map((code) => [code, Number(health().alerts[code])]),
  )
  labelled('snowhat_snowflake_problem', "1 for each of Snowflake's codes that holds rows back now.", 'code', () =>
    lanes.trouble.codes.map((code) => [codeLabel(code), 1]),
  )

  gauge('snowhat_mqtt_connected', '1 while the broker is connected for readings.', () => Number(parts.connected()))
  gauge('snowhat_mqtt_away_seconds', 'How long the broker has been away, 0 while it is there.', () => {
    return parts.brokerAway() / 1000
  })

  gauge('snowhat_devices', 'Devices in use.', () => health().devices)
  labelled('snowhat_lanes', 'Devices by what their way into the table does.', 'state', () => {
    const counts = new Map<string, number>(LANE_STATES.map((state) => [state, 0]))
    for (const { state } of lanes) counts.set(state, (counts.get(state) ?? 0) + 1)
    return counts
  })
  labelled('snowhat_devices_held', 'Devices that wait for a person to decide, by why.', 'code', () => {
    const counts = new Map<string, number>(HOLD_CODES.map((code) => [code, 0]))
    for (const { hold } of lanes) if (hold !== undefined) counts.set(hold.code, (counts.get(hold.code) ?? 0) + 1)
    return counts
  })

  gauge('snowhat_spool_bytes', 'Bytes of rows in the spool, without devices that were moved aside.', () => spool.bytes)
  gauge('snowhat_spool_max_bytes', 'Bytes of rows the spool takes (spool.max_bytes).', () => parts.spoolMaxBytes)
  gauge('snowhat_spool_full', '1 while nothing more is acknowledged.', () => Number(pressure.full))
  gauge('snowhat_spool_on_disk', '1 when rows that wait survive the process.', () => Number(spool.durable))
  gauge('snowhat_spool_rows', 'Rows received and not known to be in the table.', () => health().rows_waiting)
  gauge('snowhat_lag_seconds', 'Age of the oldest row that waits, 0 when none does.', () => health().lag_seconds)

  gauge('snowhat_snowflake_reachable', '1 or 0; no sample when nothing was asked for ten minutes.', () =>
    reach.reachable === null ? null : Number(reach.reachable),
  )
  gauge('snowhat_snowflake_last_answer_timestamp_seconds', 'When Snowflake last answered.', () =>
    seconds(reach.answeredAt),
  )
  gauge(
    'snowhat_credential_expiry_timestamp_seconds',
    'When the token for Snowflake ends; no sample for a key, which does not.',
    () => seconds(parts.identity.expiresAt),
  )
  gauge(
    'snowhat_snowflake_clock_skew_seconds',
    "How far Snowflake's clock is ahead of this machine's, where signing in has to correct that; 0 where not.",
    () => parts.identity.clockSkewMs / 1000,
  )

  new Counter({
    name: 'snowhat_dead_letters_total',
    help: 'Dead letters by what was wrong: those kept from before the start, and all since.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      for (const code of REFUSAL_CODES) this.inc({ code }, deadLetters.byCode.get(code) ?? 0)
    },
  })
  counter('snowhat_dead_letters_dropped_total', 'Dead letters that had to make room.', () => deadLetters.dropped)
  counter(
    'snowhat_dead_letters_unkept_total',
    "Dead letters that only the bridge's log holds, since the start.",
    () => deadLetters.unkept,
  )

  gauge('snowhat_readings_missing_today', 'Readings gone missing since midnight.', () => health().today.missing)
  gauge(
    'snowhat_rows_rejected_today',
    'Rows Snowflake could not convert since midnight.',
    () => health().today.rejected,
  )
  gauge('snowhat_appended_today_bytes', 'Bytes sent since midnight, before compression.', () => health().today.bytes)
  gauge('snowhat_billed_today_bytes', 'What Snowflake counts of them, estimated.', () => health().today.billed_bytes)
  labelled('snowhat_cost_today', 'What sending has cost since midnight, where a price is set.', 'currency', () =>
    amount(health().currency, health().today.cost),
  )
  labelled('snowhat_cost_month_projected', 'What this month will have cost at its end.', 'currency', () =>
    amount(health().currency, health().cost_month),
  )
  labelled('snowhat_cost_month_to_date', 'What this month has cost so far.', 'currency', () =>
    amount(health().currency, health().cost_so_far),
  )
  labelled('snowhat_cost_budget', 'What a month may cost (cost.budget_per_month), where that is set.', 'currency', () =>
    amount(health().currency, health().budget),
  )
}

function seconds(at: number | null): number | null {
  return at === null ? null : at / 1000
}

function amount(currency: string, value: number | null): Sample[] {
  return value === null ? [] : [[currency, value]]
}
