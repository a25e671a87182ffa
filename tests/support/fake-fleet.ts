import { chainOf } from '../../bridge/fleet/chain.ts'
import { EventFeed } from '../../bridge/fleet/event-feed.ts'
import type { FleetSource, Points, Tile } from '../../bridge/fleet/fleet.ts'
import { STEP_MS, STEPS } from '../../bridge/fleet/ring.ts'
import { ALERT_CODES, type Alert } from '../../bridge/status/alerts.ts'
import type { Health } from '../../bridge/status/health.ts'
import type { StatusSource } from '../../bridge/status/source.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'

/** What the page is served from, made up: as many devices as a test wants, and what happens to them. */
export class FakeFleet {
  readonly tiles = new Map<string, Tile>()
  readonly listeners = new Set<(hostname: string) => void>()
  readonly source: StatusSource
  alerts: Alert[] = []
  connected = true
  reachable: boolean | null = true
  isWatched = false
  /** How often a device was looked at. */
  looks = 0
  readonly #clock: Clock
  readonly #began: number

  constructor(devices: number, clock: Clock = systemClock()) {
    this.#clock = clock
    this.#began = clock.now()
    for (let i = 1; i <= devices; i++) this.set(`pi-${String(i).padStart(4, '0')}`)
    const fleet: FleetSource = {
      hostnames: () => [...this.tiles.keys()],
      tile: (hostname) => {
        this.looks++
        return this.tiles.get(hostname)
      },
      chain: () =>
        chainOf({
          health: this.health(),
          alerts: this.alerts,
          brokerSince: this.#began,
          brokerUrl: 'mqtt://bridge:secret@mosquitto:1883',
        }),
      onChange: (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      },
      watched: (watched) => {
        this.isWatched = watched
      },
      points: (hostname, fields) => this.#points(hostname, fields),
      strip: () => undefined,
      details: () => ({ seen_at: null, last: null, bytes_today: 0, errors: [] }),
    }
    this.source = {
      ready: () => true,
      ailments: () => [],
      glance: () => ({ alerts: this.alerts, reachable: this.reachable }),
      health: () => this.health(),
      devices: () => [],
      device: (hostname) => (this.tiles.has(hostname) ? heldDevice(hostname) : undefined),
      fleet,
      metrics: { contentType: 'text/plain', metrics: async () => '' },
      feed: new EventFeed(fleet, { clock, log: silentLog() }),
      decide: () => undefined,
      forget: async () => undefined,
    }
  }

  set(hostname: string, over: Partial<Tile> = {}): void {
    const now = this.#clock.now()
    this.tiles.set(hostname, {
      hostname,
      lane: 'ready',
      temperature: 21.5,
      compensated: false,
      simulated: true,
      activity: null,
      confidence: null,
      measured_at: now,
      seen_at: now,
      waiting: 2,
      waiting_since: now - 800,
      missing: 0,
      rejected: 0,
      dead_letters: 0,
      bytes_today: 1_234_567,
      ...this.tiles.get(hostname),
      ...over,
    })
    for (const listener of this.listeners) listener(hostname)
  }

  forget(hostname: string): void {
    this.tiles.delete(hostname)
    for (const listener of this.listeners) listener(hostname)
  }

  health(): Health {
    const standing = new Set(this.alerts.map(({ code }) => code))
    const iso = new Date(this.#clock.now()).toISOString()
    return {
      instance: 'own1',
      version: '0.1.0',
      host: 'nas',
      started_at: new Date(this.#began).toISOString(),
      healthy: this.alerts.length === 0,
      reasons: [],
      problems: [...standing],
      problem: this.alerts.length > 0,
      problem_since: null,
      problem_reasons: this.alerts.map(({ message }) => message),
      alerts: Object.fromEntries(ALERT_CODES.map((code) => [code, standing.has(code)])) as Health['alerts'],
      mqtt_connected: this.connected,
      target: 'snowflake',
      snowflake: { reachable: this.reachable, answered_at: iso, clock_skew_seconds: 0 },
      devices: this.tiles.size,
      rows_per_second: this.tiles.size,
      rows_waiting: 2 * this.tiles.size,
      lag_seconds: 0.8,
      last_commit_at: iso,
      spool_on_disk: true,
      spool_bytes: 1_500 * this.tiles.size,
      cost_so_far: null,
      budget: null,
      budget_level: null,
      dearest: [],
      today: { since: iso, missing: 0, rejected: 0, bytes: 1_000_000, billed_bytes: 600_000, cost: null },
      cost_month: null,
      currency: 'USD',
      credential_expires_at: null,
      redelivered: 0,
      channels_reopened: 0,
      rows_replayed: 0,
      dead_letters: 0,
      dead_letters_by_code: {},
      dead_letters_dropped: 0,
    }
  }

  /** A calm hour. */
  #points(hostname: string, fields: readonly string[]): Points {
    const last = Math.floor(this.#clock.now() / STEP_MS)
    const values = Array.from({ length: STEPS }, (_, i) => 21.5 + Math.sin((i + hostname.length) / 17) + (i % 3) / 20)
    return {
      from: (last - STEPS + 1) * STEP_MS,
      step_ms: STEP_MS,
      fields: Object.fromEntries(fields.map((field) => [field, values])),
    }
  }
}

/** As `/api/devices/<hostname>` has a device that waits for a person. */
function heldDevice(hostname: string): object {
  return {
    hostname,
    lane: 'held',
    hold: {
      code: 'another_channel',
      reason: 'the channel was dropped',
      since: new Date(0).toISOString(),
      choices: { keep: 'what was committed is taken as in the table', resend: 'the rows are sent again' },
      queries: [`SELECT 1 WHERE hostname = '${hostname}'`],
    },
    decision: null,
    readings_committed: 7,
    ledger: {
      streams: { aaaaaaaa: { spooled: [[1, 9]], committed: [[1, 7]], declared: [[4, 4]] } },
      counters: {
        received: 9,
        redelivered: 0,
        declared_gaps: 1,
        undeclared_gaps: 0,
        late: 0,
        rejected: 0,
        dead_letters: 0,
      },
      lag_rows: 2,
    },
    last: null,
    errors: [],
  }
}
