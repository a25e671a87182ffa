import { Counter, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import { codeOf } from '../snowpipe/answer.ts'
import type { AppendRequest, Outcome, Snowpipe } from '../snowpipe/client.ts'
import type { Identity } from '../snowpipe/credentials.ts'

/** Snowflake's codes are a few dozen; a proxy may answer anything, and every new label is memory at Prometheus. */
const MOST_CODES = 60
const CODE = /^\w{1,64}$/
const OTHER = 'other'
const OPERATIONS = ['open', 'append', 'status', 'drop'] as const

type Operation = (typeof OPERATIONS)[number]

/** Counts what Snowflake is asked and what it answers, since the start of the process. Nothing is asked for its sake. */
export class SnowflakeCalls {
  readonly #clock: Clock
  readonly #codes = new Set<string>(['ok'])
  readonly #requests = new Counter({
    name: 'snowhat_snowflake_requests_total',
    help: "Calls to Snowflake by what came of them: ok, Snowflake's error code, the HTTP status, or no_answer.",
    labelNames: ['operation', 'code'],
    registers: [],
  })
  readonly #duration = new Histogram({
    name: 'snowhat_snowflake_request_duration_seconds',
    help: 'Time from a call to Snowflake to the end of its answer, a sign-in on the way included.',
    labelNames: ['operation'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [],
  })
  readonly #wireBytes = new Counter({
    name: 'snowhat_appended_compressed_bytes_total',
    help: 'Bytes of rows as they went over the wire, in appends that were taken.',
    registers: [],
  })
  readonly #signIns = new Counter({
    name: 'snowhat_snowflake_sign_ins_total',
    help: 'Sign-ins at Snowflake: the first one, each renewal of the token, and each new try after a refusal.',
    registers: [],
  })

  constructor(clock: Clock) {
    this.#clock = clock
    for (const operation of OPERATIONS) {
      this.#requests.inc({ operation, code: 'ok' }, 0)
      this.#duration.zero({ operation })
    }
  }

  /** The same Snowpipe, looked at. */
  watch(snowpipe: Snowpipe): Snowpipe {
    return {
      open: (path, failOnUncommittedRows) => this.#time('open', snowpipe.open(path, failOnUncommittedRows)),
      append: (path, append) => this.#append(append, snowpipe.append(path, append)),
      status: (pipe, channels) => this.#time('status', snowpipe.status(pipe, channels)),
      drop: (path) => this.#time('drop', snowpipe.drop(path)),
      close: () => snowpipe.close(),
    }
  }

  /** The same identity, looked at. */
  watchIdentity(identity: Identity): Identity {
    let last: string | undefined
    return {
      exchanged: identity.exchanged,
      get expiresAt() {
        return identity.expiresAt
      },
      get hint() {
        return identity.hint
      },
      get clockSkewMs() {
        return identity.clockSkewMs
      },
      credential: async () => {
        const credential = await identity.credential()
        // A token that is not exchanged is looked at again and again, and is the same.
        if (identity.exchanged || credential.token !== last) this.#signIns.inc()
        last = credential.token
        return credential
      },
      refused: (answer) => {
        last = undefined
        return identity.refused(answer)
      },
    }
  }

  register(registry: Registry): void {
    for (const metric of [this.#requests, this.#duration, this.#wireBytes, this.#signIns])
      registry.registerMetric(metric)
  }

  async #append<T>(append: AppendRequest, call: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const outcome = await this.#time('append', call)
    if (outcome.verdict === 'ok') this.#wireBytes.inc(append.body.length)
    return outcome
  }

  async #time<T>(operation: Operation, call: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const since = this.#clock.monotonic()
    const outcome = await call
    this.#duration.observe({ operation }, (this.#clock.monotonic() - since) / 1000)
    this.#requests.inc({ operation, code: this.#label(outcome) })
    return outcome
  }

  #label(outcome: Outcome<unknown>): string {
    const code = outcome.verdict === 'ok' ? 'ok' : codeOf(outcome.answer)
    if (this.#codes.has(code)) return code
    if (this.#codes.size >= MOST_CODES) return OTHER
    const label = codeLabel(code)
    this.#codes.add(label)
    return label
  }
}

/** A code as a label: what looks like none of Snowflake's is a proxy's words. */
export function codeLabel(code: string): string {
  return CODE.test(code) ? code : OTHER
}
