import type { Clock } from '../../../src/clock.ts'
import type { Log } from '../../../src/log.ts'
import type { Answer } from '../answer.ts'

/** A JWT of a clock that is further off is refused [documented: about a minute]. */
const TOLERANCE_MS = 60_000

/**
 * What Snowflake's clock says: our own, until a refusal comes with a `Date` that contradicts it. From then on its time is
 * counted by the monotonic clock, so that setting ours, which is what ought to happen, does no harm; once ours is right it
 * counts again.
 */
export class ServerTime {
  readonly #clock: Clock
  readonly #log: Log
  #heard: { readonly wall: number; readonly monotonic: number } | undefined

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Epoch milliseconds. */
  now(): number {
    if (this.#heard !== undefined && this.skewMs === 0) {
      this.#heard = undefined
      this.#log.info('the clock of this machine is right again')
    }
    return this.#clock.now() + this.skewMs
  }

  /** Milliseconds the server's clock is ahead of ours; 0 while they agree, or nothing else is known. */
  get skewMs(): number {
    if (this.#heard === undefined) return 0
    const skew = this.#heard.wall + (this.#clock.monotonic() - this.#heard.monotonic) - this.#clock.now()
    return Math.abs(skew) <= TOLERANCE_MS ? 0 : skew
  }

  /** Learns from a refusal; true when what is signed from now on bears another time. */
  refused({ status, serverTime }: Answer): boolean {
    if (status !== 401 || serverTime === undefined) return false
    if (Math.abs(serverTime - this.now()) <= TOLERANCE_MS) return false
    this.#heard = { wall: serverTime, monotonic: this.#clock.monotonic() }
    const { skewMs } = this
    if (skewMs !== 0)
      this.#log.warn(
        { seconds: Math.round(skewMs / 1000), hint: 'set the clock: NTP, or timedatectl set-ntp true' },
        'the clock of this machine is wrong; signing in by that of Snowflake, which is so many seconds ahead',
      )
    return true
  }
}
