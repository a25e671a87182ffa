import type { BackPressure } from '../back-pressure.ts'
import type { DeadLetters } from '../dead-letters/dead-letters.ts'
import type { Lanes } from '../lanes/lanes.ts'
import type { LedgerPublisher } from '../ledger/ledger-publisher.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Spool } from '../spool/spool.ts'
import type { Progress } from './progress.ts'

/** The names are a public contract: `/healthz` and the metrics bear them. */
export const AILMENT_CODES = [
  'held',
  'blocked',
  'stalled',
  'duplicate_channel_owner',
  'spool_full',
  'ledger_refused',
  'dead_letters_not_kept',
  'broker_away',
  'rival',
] as const

/** Why the bridge is not well: rows stand still that should not. */
export interface Ailment {
  readonly code: (typeof AILMENT_CODES)[number]
  readonly message: string
  /** Whom it hits, where that is not everybody. */
  readonly devices?: readonly string[]
}

export interface AilmentParts {
  readonly spool: Spool
  readonly lanes: Lanes
  readonly ledgers: LedgerPublisher
  readonly pressure: BackPressure
  readonly deadLetters: DeadLetters
  readonly progress: Progress
  /** Milliseconds without the broker, 0 while it is there. */
  readonly brokerAway: () => number
  /** Another bridge speaks at this broker, and this one was told to go on. */
  readonly beside: () => boolean
  /** Milliseconds without progress that are too long. */
  readonly stalledAfter: number
}

/**
 * What a person should look at, worked out from what has happened and not from a timer that ticks. Snowflake being away
 * while nothing waits is none of it, and neither is a commit that takes its time.
 */
export function ailmentsOf(parts: AilmentParts): Ailment[] {
  const { beside, brokerAway, ledgers, pressure, progress, stalledAfter } = parts
  const held: DeviceLog[] = []
  const contested: DeviceLog[] = []
  // One look at each device: this is asked every second, and fleets are large.
  for (const lane of parts.lanes) {
    if (lane.hold !== undefined) held.push(lane.device)
    if (lane.contested) contested.push(lane.device)
  }
  const blocked: DeviceLog[] = []
  const still: DeviceLog[] = []
  for (const device of parts.spool.devices()) {
    if (device.waiting === 0) continue
    // Looked at for all, so that a device's standstill counts from when it began.
    const isStill = progress.standstill(device) > stalledAfter
    const lane = parts.lanes.of(device)
    if (lane?.state === 'blocked') blocked.push(device)
    else if (isStill && lane?.hold === undefined) still.push(device)
  }
  const minutes = (ms: number) => `${Math.round(ms / 6_000) / 10} minutes`
  const ailments: (Ailment | undefined)[] = [
    of('held', held, 'a person has to decide whether their rows are in the table: snowhat ledger HOST'),
    of('blocked', blocked, 'Snowflake refuses their rows: a key, a grant or a name is wrong'),
    of('stalled', still, `rows wait and none has got into the table for ${minutes(stalledAfter)}`),
    of('duplicate_channel_owner', contested, 'another program opens their channels again and again'),
    pressure.full ? { code: 'spool_full', message: 'the spool is full: nothing more is acknowledged' } : undefined,
    ledgers.refused
      ? { code: 'ledger_refused', message: 'the broker refuses ledgers, and without them no row is sent' }
      : undefined,
    parts.deadLetters.failing
      ? { code: 'dead_letters_not_kept', message: "dead letters cannot be kept: they are in the bridge's log" }
      : undefined,
    brokerAway() > stalledAfter
      ? { code: 'broker_away', message: `no connection to the broker for ${minutes(brokerAway())}` }
      : undefined,
    beside() ? { code: 'rival', message: 'another bridge speaks at this broker, and the guard is off' } : undefined,
  ]
  return ailments.filter((ailment) => ailment !== undefined)
}

function of(code: Ailment['code'], devices: readonly DeviceLog[], message: string): Ailment | undefined {
  return devices.length === 0 ? undefined : { code, message, devices: devices.map(({ hostname }) => hostname).sort() }
}
