import type { Clock } from './clock.ts'

/** Aborting for no reason makes an error with a stack each time, which nobody looks at. */
const RUNG = 'rung'

/**
 * Lets one waiting piece of code be woken by others. Rings are not counted: a ring while nobody waits makes
 * the next wait return at once, so no wake-up is ever missed.
 */
export class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** Resolves at the next ring, or when `also` settles. One waiter at a time. */
  async wait(also?: Promise<unknown>): Promise<void> {
    if (!this.#rung) {
      const ring = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await (also === undefined ? ring : Promise.race([ring, also]))
      this.#wake = undefined
    }
    this.#rung = false
  }

  /** Resolves at the next ring, or after `ms`. */
  async waitAtMost(ms: number, clock: Clock): Promise<void> {
    const done = new AbortController()
    const limit = clock.sleep(ms, done.signal).catch(() => undefined)
    await this.wait(limit)
    done.abort(RUNG)
  }
}
