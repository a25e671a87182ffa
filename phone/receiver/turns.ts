import type { Clock } from '../../src/clock.ts'

export interface TurnLimits {
  /** At a time. */
  readonly width: number
  /** Who may wait for their turn, and for how long. */
  readonly waiting: number
  readonly waitMs: number
}

/** Lets so many act at a time; the others wait in the order they came, not too many of them and not for ever. */
export class Turns {
  readonly #limits: TurnLimits
  readonly #clock: Clock
  /** Each begins when it is called. */
  readonly #waiting = new Set<() => void>()
  #busy = 0

  constructor(limits: TurnLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** What `act` gives; `undefined` when its turn did not come. */
  async take<T>(act: () => Promise<T>): Promise<T | undefined> {
    if (this.#busy < this.#limits.width) this.#busy++
    else if (!(await this.#turn())) return undefined
    try {
      return await act()
    } finally {
      const [next] = this.#waiting
      if (next === undefined) this.#busy--
      else next()
    }
  }

  /** The place of whoever is done goes to who has waited longest: `#busy` stays. */
  #turn(): Promise<boolean> {
    const { waiting, waitMs } = this.#limits
    if (this.#waiting.size >= waiting) return Promise.resolve(false)
    return new Promise((resolve) => {
      const end = (has: boolean) => {
        cancel()
        this.#waiting.delete(begin)
        resolve(has)
      }
      const begin = () => end(true)
      const cancel = this.#clock.after(waitMs, () => end(false))
      this.#waiting.add(begin)
    })
  }
}
