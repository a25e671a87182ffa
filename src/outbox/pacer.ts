/**
 * A bound on readings per second: a bucket that fills at that rate and holds one second of it. A message
 * may go while the bucket is not empty and may overdraw it, so large messages pass at the mean rate.
 */
export class Pacer {
  #perMs = 0
  #capacity = 0
  #tokens: number
  #filledAt: number

  constructor(perSecond: number, nowMs: number) {
    this.#tokens = perSecond
    this.#filledAt = nowMs
    this.rate = perSecond
  }

  /** Readings per second from now on. */
  set rate(perSecond: number) {
    this.#perMs = perSecond / 1000
    this.#capacity = perSecond
  }

  /** Milliseconds until something may be sent; 0 for now. */
  waitMs(nowMs: number): number {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#filledAt) * this.#perMs)
    this.#filledAt = nowMs
    return this.#tokens > 0 ? 0 : Math.ceil((0.5 - this.#tokens) / this.#perMs)
  }

  spend(readings: number): void {
    this.#tokens -= readings
  }
}
