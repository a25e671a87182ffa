import type { Clock } from '../../src/clock.ts'
import type { Answer } from './answer.ts'

/** Calls in a row without a way to the ingest host; fewer are a bad moment. */
const IN_A_ROW = 3
/** How often its name is asked for while it is so. */
const ASK_EVERY_MS = 30_000

/**
 * Whether the ingest host may be elsewhere by now: nobody says so where there is nobody left. After connections that failed again
 * and again its name is to be asked for anew [documented].
 */
export class Suspicion {
  readonly #clock: Clock
  #failures = 0
  #askAgainAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What came of a call to it. A load balancer without a route is no way either. */
  note({ status, code }: Answer): void {
    const isNoWay = code === '' && (status === undefined || status === 404)
    this.#failures = isNoWay ? this.#failures + 1 : 0
  }

  /** True when it is time to ask, and not again for a while. */
  get due(): boolean {
    if (this.#failures < IN_A_ROW || this.#clock.monotonic() < this.#askAgainAt) return false
    this.#askAgainAt = this.#clock.monotonic() + ASK_EVERY_MS
    return true
  }
}
