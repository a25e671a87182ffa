import type { Clock } from '../../src/clock.ts'

export interface RateLimits {
  /** Per phone. */
  readonly messagesPerS: number
  readonly bytesPerS: number
}

/** What may come at once after a pause, in seconds of the rate: phones send what they have gathered. */
const BURST_S = 10
/** Phones that are watched at a time. */
const MOST = 10_000

interface Bucket {
  messages: number
  bytes: number
  at: number
}

/** How much one phone may send. */
export class Rates {
  readonly #limits: RateLimits
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(limits: RateLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Whether this message is within the limits; then it counts. */
  allows(deviceId: string, bytes: number): boolean {
    const { messagesPerS, bytesPerS } = this.#limits
    const now = this.#clock.monotonic()
    const before = this.#buckets.get(deviceId) ?? {
      messages: messagesPerS * BURST_S,
      bytes: bytesPerS * BURST_S,
      at: now,
    }
    const seconds = (now - before.at) / 1_000
    const bucket = {
      messages: Math.min(messagesPerS * BURST_S, before.messages + messagesPerS * seconds),
      bytes: Math.min(bytesPerS * BURST_S, before.bytes + bytesPerS * seconds),
      at: now,
    }
    // The last ones to speak at the end, so that those at the beginning are full again and may be forgotten.
    this.#buckets.delete(deviceId)
    this.#buckets.set(deviceId, bucket)
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MOST) break
      this.#buckets.delete(oldest)
    }
    if (bucket.messages < 1 || bucket.bytes < bytes) return false
    bucket.messages--
    bucket.bytes -= bytes
    return true
  }
}
