import type { Clock } from '../../src/clock.ts'
import type { DemoSettings } from './config.ts'
import type { Parts } from './parts.ts'
import type { DemoView } from './screen.ts'

/** Temperatures kept per Pi, one a second. */
const KEPT = 60
const KEEP_EVERY_MS = 1_000

/** Gathers from the parts what a frame shows. */
export class Observer {
  phase: DemoView['phase'] = 'running'
  readonly #settings: DemoSettings
  readonly #parts: Parts
  readonly #clock: Clock
  readonly #started: number
  readonly #temperatures = new Map<string, number[]>()
  readonly #inTable = new Map<string, number>()
  #keptAt = Number.NEGATIVE_INFINITY
  #before = { at: 0, taken: 0, rate: 0 }

  constructor(settings: DemoSettings, parts: Parts, clock: Clock, started: number) {
    this.#settings = settings
    this.#parts = parts
    this.#clock = clock
    this.#started = started
    this.#before.at = clock.monotonic()
    parts.bridge.events.on('rows:committed', (device, rows) => {
      this.#inTable.set(device, (this.#inTable.get(device) ?? 0) + rows)
    })
  }

  async view(): Promise<DemoView> {
    const { bridge, emulator, fleet } = this.#parts
    this.#keepTemperatures()
    return {
      elapsedSeconds: (this.#clock.monotonic() - this.#started) / 1000,
      phase: this.phase,
      pis: fleet.map((publisher) => ({
        hostname: publisher.hostname,
        latest: publisher.latest(),
        temperatures: this.#temperatures.get(publisher.hostname) ?? [],
        published: publisher.stats().taken,
        inTable: this.#inTable.get(publisher.hostname) ?? 0,
        lagSeconds: bridge.ledger(publisher.hostname)?.lag_seconds ?? 0,
      })),
      ratePerSecond: this.#rate(),
      data: this.#settings.data,
      ports: { mqtt: this.#settings.mqtt_port, page: bridge.httpPort, snowpipe: emulator.port },
      messages: [],
    }
  }

  #keepTemperatures(): void {
    if (this.#clock.monotonic() - this.#keptAt < KEEP_EVERY_MS) return
    this.#keptAt = this.#clock.monotonic()
    for (const publisher of this.#parts.fleet) {
      const temperature = publisher.latest()?.temperature
      if (temperature === null || temperature === undefined) continue
      const kept = this.#temperatures.get(publisher.hostname) ?? []
      this.#temperatures.set(publisher.hostname, [...kept.slice(1 - KEPT), temperature])
    }
  }

  /** Readings per second, over a second or more. */
  #rate(): number {
    const now = this.#clock.monotonic()
    const taken = this.#parts.fleet.reduce((sum, publisher) => sum + publisher.stats().taken, 0)
    const seconds = (now - this.#before.at) / 1000
    if (seconds >= 1) this.#before = { at: now, taken, rate: (taken - this.#before.taken) / seconds }
    return this.#before.rate
  }
}
