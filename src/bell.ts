import type { Clock } from './clock.ts'

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

  /** Resolves at the next ring. One waiter at a time. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#onRing(resolve))
  }

  /** Resolves at the next ring, or after `ms`. Each lane waits like this all the time, so it makes as little as it can. */
  waitAtMost(ms: number, clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, () => this.#wake?.())
      this.#onRing(() => {
        cancel()
        resolve()
      })
    })
  }

  #onRing(act: () => void): void {
    this.#wake = () => {
      this.#wake = undefined
      this.#rung = false
      act()
    }
    if (this.#rung) this.#wake()
  }
}
