import type { Chance } from './chance.ts'
import { lagged, Wander } from './wander.ts'

/** °C of an idle processor and what a full load adds. */
const CPU_IDLE_C = 45
const CPU_LOAD_C = 20
const CPU_LAG_S = 60
/** Share of the processor's excess that reaches the sensors above it [typical of a bare board without a fan]. */
const COUPLING = 0.25
const BOARD_LAG_S = 300

/** Heat that rises from the processor to the sensors, the reason why a Sense HAT reads some degrees high. */
export class BoardHeat {
  readonly #load: Wander
  #cpu: number
  #sensor: number | undefined

  constructor(chance: Chance) {
    this.#load = new Wander(0.2, 0.1, 120, chance)
    this.#cpu = this.#cpuTarget()
  }

  /** °C of the processor. */
  get cpuTemperature(): number {
    return this.#cpu
  }

  /** Temperature at the sensors, °C, in air of `airTemperature` °C. */
  advance(seconds: number, airTemperature: number): number {
    this.#load.advance(seconds)
    this.#cpu = lagged(this.#cpu, this.#cpuTarget(), seconds, CPU_LAG_S)
    const target = airTemperature + COUPLING * (this.#cpu - airTemperature)
    // Before the first step the board has been on for long enough.
    this.#sensor = this.#sensor === undefined ? target : lagged(this.#sensor, target, seconds, BOARD_LAG_S)
    return this.#sensor
  }

  #cpuTarget(): number {
    return CPU_IDLE_C + CPU_LOAD_C * Math.max(0, Math.min(1, this.#load.value))
  }
}
