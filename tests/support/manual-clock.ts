import type { Clock } from '../../src/clock.ts'
import type { StopSignal } from '../../src/stop.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  #wall: number
  #monotonic = 0
  #sleepers: Sleeper[] = []

  constructor(wall = Date.UTC(2026, 10, 22, 12)) {
    this.#wall = wall
  }

  now(): number {
    return this.#wall
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** How many sleep. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  sleep(ms: number, signal?: StopSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  after(ms: number, wake: () => void): () => void {
    const sleeper: Sleeper = { at: this.#monotonic + Math.max(0, ms), wake }
    this.#sleepers.push(sleeper)
    return () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
    }
  }

  /** Lets `ms` pass; wakes who is due in order, and lets each do what it does before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonic + ms
    await settled()
    for (;;) {
      const next = this.#sleepers.filter((s) => s.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#sleepers = this.#sleepers.filter((s) => s !== next)
      this.#move(Math.max(0, next.at - this.#monotonic))
      next.wake()
      await settled()
    }
    this.#move(until - this.#monotonic)
    await settled()
  }

  /** Time that passes without any timer noticing: a busy or suspended process. */
  stall(ms: number): void {
    this.#move(ms)
  }

  /** Sets the wall clock, as NTP does; the monotonic one goes on. */
  setWall(epochMs: number): void {
    this.#wall = epochMs
  }

  #move(ms: number): void {
    this.#monotonic += ms
    this.#wall += ms
  }
}

/** Lets everything run that waits for no timer. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
