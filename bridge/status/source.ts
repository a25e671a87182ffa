import type { Ledger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import { costOf, isPriced } from '../cost/cost.ts'
import type { BridgeEvents } from '../events.ts'
import { chainOf } from '../fleet/chain.ts'
import { EventFeed } from '../fleet/event-feed.ts'
import { Fleet, type FleetSource } from '../fleet/fleet.ts'
import { ForgetDevice, type ForgetDeviceDeps, type ForgetWish, type ForgottenDevice } from '../forget-device.ts'
import { type Choice, choicesFor } from '../lanes/decision.ts'
import { queriesFor } from '../lanes/hold-remedy.ts'
import type { Lane } from '../lanes/lane.ts'
import { BridgeMetrics, type Metrics, type MetricsParts } from '../metrics/metrics.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import { type Ailment, ailmentsOf } from './ailments.ts'
import { type Alert, Alerts } from './alerts.ts'
import { findingsOf } from './findings.ts'
import { type Health, healthOf } from './health.ts'

/** What the bridge shows of itself, and what can be told to it. */
export interface StatusSource {
  /** Connected, and not stopping. */
  ready(): boolean
  /** Why it is not well; empty when it is. */
  ailments(): Ailment[]
  /** What is told at once when it changes: what stands of all that deserves a notification, and the way to Snowflake. */
  glance(): { readonly alerts: readonly Alert[]; readonly reachable: boolean | null }
  health(): Health
  /** For Prometheus. */
  readonly metrics: Metrics
  devices(): object[]
  device(hostname: string): object | undefined
  /** What the page shows of the fleet, and the stream that tells it of changes. */
  readonly fleet: FleetSource
  readonly feed: EventFeed
  /** How a held lane goes on. Gives what that does, `undefined` without such a device; throws `E_NOT_HELD`. */
  decide(hostname: string, choice: Choice): Promise<string> | undefined
  /** Takes a device out of use; `undefined` when nothing is known of it. Throws `E_ROWS_WAIT` and `E_NOT_FORGOTTEN`. */
  forget(hostname: string, wish: ForgetWish): Promise<ForgottenDevice | undefined>
}

/** The parts of a running bridge that the page and the API tell of. */
export interface StatusParts extends MetricsParts, ForgetDeviceDeps {
  readonly stopping: () => boolean
  readonly events: BridgeEvents
  readonly log: Log
  /** Of the broker, as the settings have it. */
  readonly brokerUrl: string
  /** Since when the broker is there, or is away; epoch milliseconds. */
  readonly brokerSince: () => number
}

export function statusSource(parts: StatusParts): StatusSource {
  const { events, lanes, ledgers, spool } = parts
  const find = (hostname: string) => [...spool.devices()].find((one) => one.hostname === hostname)
  const show = (device: DeviceLog) => ({
    ...view(device, lanes.of(device), ledgers.current(device)),
    bytes: bytesView(parts, device.hostname),
  })
  const ailments = () => ailmentsOf(parts)
  const alerts = new Alerts((stands) => findingsOf(parts, stands), parts.clock)
  const forgetDevice = new ForgetDevice(parts)
  const again = { channels_reopened: 0, rows_replayed: 0 }
  events.on('channel:reopened', (_device, _reason, rows) => {
    again.channels_reopened++
    again.rows_replayed += rows
  })
  /** Looked at once: each look goes through all devices. */
  const moment = () => {
    const standing = alerts.look()
    return { alerts: standing, health: healthOf(parts, { reasons: ailments(), alerts: standing, again }) }
  }
  const health = () => moment().health
  const fleet = new Fleet(parts, () =>
    chainOf({ ...moment(), brokerSince: parts.brokerSince(), brokerUrl: parts.brokerUrl }),
  )
  return {
    ready: () => !parts.stopping() && parts.connected(),
    ailments,
    glance: () => ({ alerts: alerts.look(), reachable: parts.reach.reachable }),
    health,
    metrics: new BridgeMetrics(parts, health),
    devices: () => [...spool.devices()].sort((a, b) => a.hostname.localeCompare(b.hostname)).map(show),
    device: (hostname) => {
      const device = find(hostname)
      return device && { ...show(device), ...fleet.details(hostname) }
    },
    fleet,
    feed: new EventFeed(fleet, parts),
    decide: (hostname, choice) => {
      const device = find(hostname)
      return device && lanes.decide(device, choice)
    },
    forget: (hostname, wish) => forgetDevice.forget(hostname, wish),
  }
}

function view(device: DeviceLog, lane: Lane | undefined, ledger: Ledger): object {
  const committed = Object.values(ledger.streams).flatMap((stream) => stream.committed)
  return {
    hostname: device.hostname,
    lane: lane?.state ?? 'resting',
    hold: holdView(device, lane),
    decision: decisionView(device),
    // In the table, or kept as a dead letter: not all of them are rows.
    readings_committed: committed.reduce((sum, [first, last]) => sum + last - first + 1, 0),
    ledger,
  }
}

/** What a person needs to decide; `null` when there is nothing to. */
function holdView(device: DeviceLog, lane: Lane | undefined): object | null {
  const hold = lane?.hold
  if (hold === undefined) return null
  const { code, reason, since } = hold
  return {
    code,
    reason,
    since: new Date(since).toISOString(),
    choices: choicesFor(code),
    queries: queriesFor(device, code),
  }
}

/** What Snowflake counts of what the device has sent, estimated; `cost_month` is `null` where the settings name no price. */
function bytesView({ cost, today }: StatusParts, hostname: string): object {
  const { billedMonth, billedToday, billedYesterday, sentToday } = today.devices.of(hostname)
  return {
    sent_today: sentToday,
    billed_today: billedToday,
    billed_yesterday: billedYesterday,
    billed_month: billedMonth,
    cost_month: isPriced(cost) ? costOf(billedMonth, cost) : null,
    currency: cost.currency,
  }
}

/** What was decided last. */
function decisionView({ decision }: DeviceLog): object | null {
  if (decision === null) return null
  const { choice, code, at, carriedOut } = decision
  return { choice, code, at: new Date(at).toISOString(), carried_out: carriedOut }
}
