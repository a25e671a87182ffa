import type { Clock } from '../../src/clock.ts'
import { routeOfKey } from '../../src/device-key.ts'
import { PHONE_ROUTES } from '../../src/phone-records.ts'
import type { BridgeEvents } from '../events.ts'
import type { Lanes } from '../lanes/lanes.ts'
import { gapsOf } from '../ledger/ledger-of.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Spool } from '../spool/spool.ts'
import type { Today } from '../status/today.ts'
import { ActivityHistory, type ActivityStrip } from './activity-history.ts'
import type { Chain } from './chain.ts'
import { History } from './history.ts'
import { type RecentError, RecentErrors } from './recent-errors.ts'
import { PLOTTED, type Plotted, STEP_MS } from './ring.ts'

/** One device as the fleet page lists it. Times are epoch milliseconds, `null`: not since the bridge has started. */
export interface Tile {
  readonly hostname: string
  /** `ready` also while it appends: a page need not blink with each batch. */
  readonly lane: string
  /** °C, compensated where the device compensates; `null`: not measured. */
  readonly temperature: number | null
  readonly compensated: boolean
  readonly simulated: boolean
  /** Of a phone: what its owner does; `null`: no phone, or not known. `confidence`: 0 to 1. */
  readonly activity: string | null
  readonly confidence: number | null
  readonly measured_at: number | null
  readonly seen_at: number | null
  /** Rows that are not in the table yet, and since when the oldest of them waits. */
  readonly waiting: number
  readonly waiting_since: number | null
  /** `null`: the ledger has not been read yet, so nobody knows. */
  readonly missing: number | null
  readonly rejected: number
  readonly dead_letters: number
  readonly bytes_today: number
}

/** Where the page and its events come from. */
export interface FleetSource {
  hostnames(): string[]
  tile(hostname: string): Tile | undefined
  chain(): Chain
  /** Gives the function that ends it. `listener` is told of every device that may have changed. */
  onChange(listener: (hostname: string) => void): () => void
  /** While somebody looks, more is looked at. */
  watched(watched: boolean): void
  points(hostname: string, fields: readonly Plotted[]): Points
  /** The last hour of a phone; `undefined`: none is known. */
  strip(hostname: string): ActivityStrip | undefined
  details(hostname: string): DeviceDetails
}

/** Values one `step_ms` apart, the oldest first, beginning at `from` (epoch milliseconds). */
export interface Points {
  readonly from: number
  readonly step_ms: number
  /** `null` where nothing was measured. What the device never measured, or is not kept, is absent. */
  readonly fields: Readonly<Partial<Record<Plotted, readonly (number | null)[]>>>
}

/** What of a device is not in its ledger. */
export interface DeviceDetails {
  readonly seen_at: string | null
  /** The newest reading that was looked at, or `null`: no more than some seconds old while readings come. */
  readonly last: {
    readonly measured_at: string
    readonly simulated: boolean
    readonly values: Readonly<Record<string, number | null>>
  } | null
  readonly bytes_today: number
  readonly errors: readonly RecentError[]
}

export interface FleetParts {
  readonly clock: Clock
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly lanes: Lanes
  readonly today: Pick<Today, 'devices'>
}

/** To count what is missing takes as long as a device has had streams. */
const COUNT_MISSING_MS = 10_000

/** What the page shows of every device, gathered from what happens in the bridge. */
export class Fleet implements FleetSource {
  readonly #parts: FleetParts
  readonly #chain: () => Chain
  readonly #history: History
  readonly #activity: ActivityHistory
  readonly #errors: RecentErrors
  readonly #missing = new Map<string, { readonly count: number; readonly until: number }>()
  readonly #listeners = new Set<(hostname: string) => void>()

  constructor(parts: FleetParts, chain: () => Chain) {
    const { clock, events } = parts
    this.#parts = parts
    this.#chain = chain
    this.#history = new History(clock)
    this.#activity = new ActivityHistory(clock)
    this.#errors = new RecentErrors(events, clock)
    events.on('readings:spooled', (device, rows) => {
      this.#passed(device, rows)
      this.#changed(device)
    })
    events.on('device:forgotten', (device) => {
      this.#history.forget(device)
      this.#activity.forget(device)
      this.#missing.delete(device)
      this.#changed(device)
    })
    const changed = (device: string) => this.#changed(device)
    events.on('reading:refused', changed)
    events.on('channel:opened', changed)
    events.on('batch:appended', changed)
    events.on('rows:committed', changed)
    events.on('rows:rejected', changed)
    events.on('lane:blocked', changed)
    events.on('lane:unblocked', changed)
  }

  hostnames(): string[] {
    return [...this.#parts.spool.devices()].map(({ hostname }) => hostname)
  }

  tile(hostname: string): Tile | undefined {
    const { lanes, spool } = this.#parts
    const device = spool.known(hostname)
    if (device === undefined || device.retired) return undefined
    const lane = lanes.of(device)?.state ?? 'resting'
    const last = this.#history.last(hostname)
    const doing = this.#activity.last(hostname)
    return {
      hostname,
      lane: lane === 'appending' ? 'ready' : lane,
      temperature: last?.temperature ?? null,
      compensated: last?.compensated ?? false,
      simulated: last?.simulated ?? false,
      activity: doing?.activity ?? null,
      confidence: doing?.confidence ?? null,
      measured_at: last?.measuredAt ?? doing?.at ?? null,
      seen_at: this.#history.seenAt(hostname),
      waiting: device.waiting,
      waiting_since: device.waiting === 0 ? null : (device.waitingSince ?? null),
      missing: this.#missingOf(device),
      rejected: device.counters.rejected,
      dead_letters: device.counters.deadLetters,
      bytes_today: this.#parts.today.devices.of(hostname).sentToday,
    }
  }

  chain(): Chain {
    return this.#chain()
  }

  onChange(listener: (hostname: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  watched(watched: boolean): void {
    this.#history.watched = watched
  }

  points(hostname: string, fields: readonly Plotted[] = PLOTTED): Points {
    const kept = fields.flatMap((field) => {
      const points = this.#history.points(hostname, field)
      return points?.some((point) => point !== null) ? [[field, points] as const] : []
    })
    return { from: this.#history.firstPointAt, step_ms: STEP_MS, fields: Object.fromEntries(kept) }
  }

  strip(hostname: string): ActivityStrip | undefined {
    return this.#activity.strip(hostname)
  }

  details(hostname: string): DeviceDetails {
    const seen = this.#history.seenAt(hostname)
    const last = this.#history.last(hostname)
    return {
      seen_at: seen === null ? null : new Date(seen).toISOString(),
      last:
        last === undefined
          ? null
          : {
              measured_at: new Date(last.measuredAt).toISOString(),
              simulated: last.simulated,
              values: this.#history.values(hostname),
            },
      bytes_today: this.#parts.today.devices.of(hostname).sentToday,
      errors: this.#errors.of(hostname),
    }
  }

  /** Whose columns nobody knows here, of that one is only known that it speaks. */
  #passed(device: string, rows: readonly { readonly json: Buffer }[]): void {
    const route = routeOfKey(device)
    const newest = rows.at(-1)
    if (route === undefined && newest !== undefined) this.#history.passed(device, newest.json)
    else this.#history.heard(device)
    // All of them: what comes after a phone was away is its last hour.
    if (route === PHONE_ROUTES.activity.route) for (const { json } of rows) this.#activity.passed(device, json)
  }

  #changed(hostname: string): void {
    for (const listener of this.#listeners) listener(hostname)
  }

  #missingOf(device: DeviceLog): number | null {
    if (!device.ledgerRead) return null
    const now = this.#parts.clock.monotonic()
    const known = this.#missing.get(device.hostname)
    if (known !== undefined && now < known.until) {
      // It is counted again even when nothing more comes of this device.
      this.#changed(device.hostname)
      return known.count
    }
    const count = gapsOf(device).undeclared_gaps
    this.#missing.set(device.hostname, { count, until: now + COUNT_MISSING_MS })
    return count
  }
}
