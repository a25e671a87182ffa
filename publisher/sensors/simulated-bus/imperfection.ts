import type { Vector } from '../rotation.ts'
import type { Chance } from '../world/chance.ts'

/** Noise is the chip's root mean square; `offset` the spread of an error that each chip keeps for life. Both in its unit. */
export interface Imperfection {
  readonly noise: number
  readonly offset: number
}

/** One channel of one chip: what it takes for true. */
export class Channel {
  readonly #noise: number
  readonly #error: number
  readonly #chance: Chance

  constructor({ noise, offset }: Imperfection, chance: Chance) {
    this.#noise = noise
    this.#chance = chance
    this.#error = chance.normal(offset)
  }

  /** `averaged`: noise of the mean of so many measurements. */
  of(truth: number, averaged = 1): number {
    return truth + this.#error + this.#chance.normal(this.#noise / Math.sqrt(averaged))
  }
}

export class Axes {
  readonly #x: Channel
  readonly #y: Channel
  readonly #z: Channel

  constructor(imperfection: Imperfection, chance: Chance) {
    this.#x = new Channel(imperfection, chance)
    this.#y = new Channel(imperfection, chance)
    this.#z = new Channel(imperfection, chance)
  }

  of({ x, y, z }: Vector): Vector {
    return { x: this.#x.of(x), y: this.#y.of(y), z: this.#z.of(z) }
  }
}
