import type { Chance } from './chance.ts'

/**
 * A value that wanders about its mean and never far from it: an Ornstein–Uhlenbeck process, stepped
 * exactly, so that the length of a step changes nothing about its spread.
 */
export class Wander {
  readonly #mean: number
  readonly #deviation: number
  readonly #memorySeconds: number
  readonly #chance: Chance
  #offset: number

  /** `memorySeconds`: after that long a departure from the mean has shrunk to 1/e. */
  constructor(mean: number, deviation: number, memorySeconds: number, chance: Chance) {
    this.#mean = mean
    this.#deviation = deviation
    this.#memorySeconds = memorySeconds
    this.#chance = chance
    this.#offset = chance.normal(deviation)
  }

  get value(): number {
    return this.#mean + this.#offset
  }

  advance(seconds: number): number {
    const kept = Math.exp(-seconds / this.#memorySeconds)
    this.#offset = this.#offset * kept + this.#chance.normal(this.#deviation * Math.sqrt(1 - kept * kept))
    return this.value
  }
}

/** First-order lag: `value` moves to `target` and has 1/e of the way left after `lagSeconds`. */
export function lagged(value: number, target: number, seconds: number, lagSeconds: number): number {
  return target + (value - target) * Math.exp(-seconds / lagSeconds)
}
