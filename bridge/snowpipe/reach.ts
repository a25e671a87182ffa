import type { Clock } from '../../src/clock.ts'
import type { Outcome, Snowpipe } from './client.ts'

/** One call without an answer is a bad moment; calls over this time are no way through. */
const UNANSWERED_MS = 30_000
/** An idle channel is asked for every 45 s. What was true so long ago may not be so any more. */
const STALE_MS = 10 * 60_000

/** Whether Snowflake can be reached, from what its calls have brought: nothing is asked for its sake. */
export class Reach {
  readonly #clock: Clock
  #answered: { readonly at: number; readonly wall: number } | undefined
  /** The first and the last call without an answer since there was one, monotonic. */
  #unanswered: { readonly first: number; readonly last: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The same, looked at. */
  watch(snowpipe: Snowpipe): Snowpipe {
    const seen = async <T>(call: Promise<Outcome<T>>): Promise<Outcome<T>> => {
      const outcome = await call
      this.#note(outcome)
      return outcome
    }
    return {
      open: (path, failOnUncommittedRows) => seen(snowpipe.open(path, failOnUncommittedRows)),
      append: (path, append) => seen(snowpipe.append(path, append)),
      status: (pipe, channels) => seen(snowpipe.status(pipe, channels)),
      drop: (path) => seen(snowpipe.drop(path)),
      close: () => snowpipe.close(),
    }
  }

  /** `null`: nothing was asked, or not for long. */
  get reachable(): boolean | null {
    const stale = this.#clock.monotonic() - STALE_MS
    const { first = 0, last = 0 } = this.#unanswered ?? {}
    if (last - first >= UNANSWERED_MS && last >= stale) return false
    return this.#answered !== undefined && this.#answered.at >= stale ? true : null
  }

  /** Epoch milliseconds; `null` before the first answer. */
  get answeredAt(): number | null {
    return this.#answered?.wall ?? null
  }

  /** A refusal is an answer; a proxy's or a server's failure is none. */
  #note(outcome: Outcome<unknown>): void {
    const now = this.#clock.monotonic()
    if (outcome.verdict === 'ok' || (outcome.answer.status ?? 500) < 500) {
      this.#answered = { at: now, wall: this.#clock.now() }
      this.#unanswered = undefined
    } else this.#unanswered = { first: this.#unanswered?.first ?? now, last: now }
  }
}
