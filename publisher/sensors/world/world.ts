import type { Clock } from '../../../src/clock.ts'
import { relativeHumidity } from '../humid-air.ts'
import { BoardHeat } from './board-heat.ts'
import { createChance, seedFrom } from './chance.ts'
import { Draught } from './draught.ts'
import { Daylight, type Light } from './light.ts'
import { type Inertia, Motion, type MotionScenario } from './motion.ts'
import { Weather } from './weather.ts'

export interface WorldOptions {
  readonly seed: number
  readonly environment: 'indoor' | 'outdoor'
  /** Metres above the sea. */
  readonly altitude_m: number
  readonly motion: MotionScenario
}

/** What is true at the board, whatever its chips say. */
export interface Truth {
  /** °C at the sensors: the air, warmed by the processor. */
  readonly temperature: number
  /** %RH at that temperature. */
  readonly humidity: number
  /** hPa. */
  readonly pressure: number
  readonly inertia: Inertia
  readonly light: Light
}

/** Nothing is asked for more often than the fastest chip measures; between, the last truth stands. */
const SHORTEST_STEP_MS = 8

/**
 * Air, motion and light about a board that is not there. The same seed and clock give the same truth. Time passes by
 * the monotonic clock; the wall clock only tells the hour of the day.
 */
export class World {
  readonly motion: Motion
  readonly draught = new Draught()
  readonly #weather: Weather
  readonly #heat: BoardHeat
  readonly #daylight: Daylight
  readonly #clock: Clock
  #truth: Truth | undefined
  #at: number

  constructor(options: WorldOptions, clock: Clock) {
    const chance = createChance(options.seed)
    this.#clock = clock
    this.#weather = new Weather(options, chance)
    this.#heat = new BoardHeat(chance)
    // Of their own chance: how often they are asked then changes nothing about the weather.
    this.motion = new Motion(options.motion, createChance(seedFrom(`motion ${options.seed}`)))
    this.#daylight = new Daylight(options.environment, createChance(seedFrom(`light ${options.seed}`)))
    this.#at = clock.monotonic()
  }

  /** °C. */
  get cpuTemperature(): number {
    return this.#heat.cpuTemperature
  }

  now(): Truth {
    const now = this.#clock.monotonic()
    if (this.#truth !== undefined && now - this.#at < SHORTEST_STEP_MS) return this.#truth
    const seconds = (now - this.#at) / 1000
    const epochMs = this.#clock.now()
    this.#at = now
    const air = this.draught.advance(seconds, this.#weather.advance(seconds, epochMs))
    const temperature = this.#heat.advance(seconds, air.temperature)
    this.#truth = {
      temperature,
      // The water in the air is the same at the warm sensor, so its relative humidity is lower there.
      humidity: Math.min(99, relativeHumidity(temperature, air.dewPoint)),
      pressure: air.pressure,
      inertia: this.motion.advance(seconds),
      light: this.#daylight.advance(seconds, epochMs),
    }
    return this.#truth
  }
}
