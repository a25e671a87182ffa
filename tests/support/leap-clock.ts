import type { Clock } from '../../src/clock.ts'
import type { StopSignal } from '../../src/stop.ts'

/** Time that leaps over every sleep, so that what waits a second for a chip takes no time. Timers never fire. */
export class LeapClock implements Clock {
  #wall: number
  #monotonic = 0

  constructor(wall = Date.UTC(2026, 10, 22, 12)) {
    this.#wall = wall
  }

  now(): number {
    return this.#wall
  }

  monotonic(): number {
    return this.#monotonic
  }

  async sleep(ms: number, signal?: StopSignal): Promise<void> {
    signal?.throwIfAborted()
    this.leap(Math.max(0, ms))
  }

  after(): () => void {
    return () => undefined
  }

  leap(ms: number): void {
    this.#monotonic += ms
    this.#wall += ms
  }
}
