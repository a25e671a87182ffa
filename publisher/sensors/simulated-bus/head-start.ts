import type { Clock } from '../../../src/clock.ts'

/**
 * A clock that begins some time ago and whose sleeps cost nothing until it has caught up. A simulated board was switched
 * on that long ago, so nobody waits for its chips to settle, and yet they do.
 */
export class HeadStart implements Clock {
  readonly #clock: Clock
  #behind: number

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#behind = ms
  }

  now(): number {
    return this.#clock.now() - this.#behind
  }

  monotonic(): number {
    return this.#clock.monotonic() - this.#behind
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const skipped = Math.min(this.#behind, Math.max(0, ms))
    this.#behind -= skipped
    if (ms > skipped) await this.#clock.sleep(ms - skipped, signal)
  }

  after(ms: number, act: () => void): () => void {
    return this.#clock.after(ms + this.#behind, act)
  }

  /** From here on it is the other clock. */
  catchUp(): void {
    this.#behind = 0
  }
}
