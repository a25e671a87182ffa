import type { Clock } from '../../src/clock.ts'
import type { Identity } from '../identity.ts'
import type { PanelVia } from '../panel.ts'
import type { ChipHealth } from '../sensors/chips/watched-chip.ts'
import type { Sensors } from '../sensors/sensors.ts'

/** What `info` says of this Pi, retained. */
export interface Info {
  readonly hostname: string
  readonly stream: string
  readonly version: string
  readonly model: string | null
  readonly serial: string | null
  readonly board: string
  readonly chips: readonly string[]
  /** How the LED matrix and the joystick are driven; `null` where there is none. */
  readonly leds: PanelVia['leds']
  readonly joystick: PanelVia['joystick']
  readonly simulated: boolean
  /** Sentences; empty when all is well. */
  readonly problems: readonly string[]
  /** How each chip is, with what has failed since the start. */
  readonly sensors: readonly ChipHealth[]
  readonly outbox: {
    readonly readings: number
    readonly given_up: number
    /** On disk. Readings in memory do not survive the end of the program. */
    readonly durable: boolean
  }
  /** ISO 8601 UTC of the minute the machine started; `null` when it does not tell. */
  readonly booted_at: string | null
}

export type LastingInfo = Omit<Info, 'problems' | 'sensors' | 'outbox' | 'booted_at'>

/** What of `info` does not change while the publisher runs. */
export function lastingInfo(
  about: { identity: Identity; stream: string; version: string; simulated: boolean },
  sensors: Sensors,
  panel: PanelVia,
): LastingInfo {
  return {
    hostname: about.identity.hostname,
    stream: about.stream,
    version: about.version,
    model: about.identity.model,
    serial: about.identity.serial,
    board: sensors.board,
    chips: sensors.chips,
    leds: panel.leds,
    joystick: panel.joystick,
    simulated: about.simulated,
  }
}

/**
 * When the machine started, ISO 8601 UTC: to the minute and fixed, so that it does not tremble with the clock. `null` where
 * the machine does not tell, and until its clock is set.
 */
export class BootTime {
  readonly #clock: Clock
  /** Monotonic. */
  readonly #bootedAt: number | null
  #known: string | null = null

  /** `uptimeSeconds`: of now. */
  constructor(uptimeSeconds: number | null, clock: Clock) {
    this.#clock = clock
    this.#bootedAt = uptimeSeconds === null ? null : clock.monotonic() - uptimeSeconds * 1000
  }

  get isTold(): boolean {
    return this.#bootedAt !== null
  }

  at(isClockSet: boolean): string | null {
    if (this.#known !== null || this.#bootedAt === null || !isClockSet) return this.#known
    const epochMs = this.#clock.now() - (this.#clock.monotonic() - this.#bootedAt)
    this.#known = new Date(Math.round(epochMs / 60_000) * 60_000).toISOString()
    return this.#known
  }
}
