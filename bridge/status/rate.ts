import type { Clock } from '../../src/clock.ts'
import type { BridgeEvents } from '../events.ts'

const BUCKET_MS = 5_000
const BUCKETS = 12

/** How much there is of something per second, over the last minute. */
export class Rate {
  readonly #clock: Clock
  readonly #since: number
  /** By number of the time span, the oldest first. */
  readonly #buckets = new Map<number, number>()
  #total = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  /** Of all time. */
  get total(): number {
    return this.#total
  }

  add(n: number): void {
    this.#total += n
    const bucket = this.#forget()
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + n)
  }

  /** Rounded to hundredths. In the first minute over the time there was. */
  perSecond(): number {
    const oldest = this.#forget() - BUCKETS + 1
    let total = 0
    for (const n of this.#buckets.values()) total += n
    const seconds = (this.#clock.monotonic() - Math.max(this.#since, oldest * BUCKET_MS)) / 1000
    return Math.round((total / Math.max(1, seconds)) * 100) / 100
  }

  /** Gives the number of the time span that is now. */
  #forget(): number {
    const now = Math.floor(this.#clock.monotonic() / BUCKET_MS)
    for (const bucket of this.#buckets.keys()) if (bucket <= now - BUCKETS) this.#buckets.delete(bucket)
    return now
  }
}

/** Rows that get into the table. */
export function rateOfCommits(events: BridgeEvents, clock: Clock): Rate {
  const rate = new Rate(clock)
  events.on('rows:committed', (_device, rows) => rate.add(rows))
  return rate
}
