import type { Clock } from '../src/clock.ts'
import { Refusal } from './answer.ts'

/** 0 for no limit. */
export interface RateLimits {
  /** Appends to one channel; the service allows 10 [documented]. */
  readonly requestsPerSecond: number
  /** Uncompressed bytes of one channel; the service allows 20 MB [documented]. */
  readonly bytesPerSecond: number
}

interface Taken {
  readonly at: number
  readonly bytes: number
}

/** What a channel has been sent in the last second. */
export class RateLimit {
  readonly #clock: Clock
  #requests: number[] = []
  #rows: Taken[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One more request, before its rows are read. */
  countRequest(limits: RateLimits): void {
    if (limits.requestsPerSecond === 0) return
    const now = this.#clock.monotonic()
    const recent = this.#requests.filter((at) => at > now - 1000)
    if (recent.length >= limits.requestsPerSecond) throw tooMuch()
    this.#requests = [...recent, now]
  }

  /** Its rows. What is alone in its second goes through whatever its size: it could never be sent otherwise. */
  countBytes(bytes: number, limits: RateLimits): void {
    if (limits.bytesPerSecond === 0) return
    const now = this.#clock.monotonic()
    const recent = this.#rows.filter(({ at }) => at > now - 1000)
    const before = recent.reduce((sum, taken) => sum + taken.bytes, 0)
    if (before > 0 && before + bytes > limits.bytesPerSecond) throw tooMuch()
    this.#rows = [...recent, { at: now, bytes }]
  }
}

/** Code and message as seen in 429 answers [observed]. */
function tooMuch(): Refusal {
  return new Refusal(429, '390701', 'Request rate exceeds max. Try later.')
}
