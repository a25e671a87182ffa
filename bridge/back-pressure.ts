import { SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { Spool } from './spool/spool.ts'

/** Messages are taken again when the spool is no fuller than this. */
const RESUME_AT = 0.8

/**
 * A full spool takes nothing: messages are not acknowledged, so the broker keeps them, and publishers keep their
 * readings. When there is room again the connection is made anew, because a broker sends again only then.
 */
export class BackPressure {
  readonly #spool: Spool
  readonly #maxBytes: number
  readonly #log: Log
  readonly #resume: () => void
  #full = false

  constructor(spool: Spool, maxBytes: number, log: Log, resume: () => void) {
    this.#spool = spool
    this.#maxBytes = maxBytes
    this.#log = log
    this.#resume = resume
  }

  get full(): boolean {
    return this.#full
  }

  /** Runs the intake of one message; refuses it at once while the spool is full. */
  guard(take: () => Promise<void>): Promise<void> {
    if (this.#full) return Promise.reject(new SnowhatError('E_SPOOL_FULL', 'the spool is full', { retryable: true }))
    return take().catch(this.#refused)
  }

  readonly #refused = (error: unknown): never => {
    if (error instanceof SnowhatError && error.code === 'E_SPOOL_FULL') {
      this.#full = true
      this.#log.error(
        {
          bytes: this.#spool.bytes,
          hint: 'nothing is lost: the broker and the publishers keep it until Snowflake takes rows',
        },
        'the spool is full; nothing more is acknowledged',
      )
    }
    throw error
  }

  /** Rows have left the spool. */
  eased(): void {
    if (!this.#full || this.#spool.bytes > this.#maxBytes * RESUME_AT) return
    this.#full = false
    this.#log.info({ bytes: this.#spool.bytes }, 'there is room in the spool again')
    this.#resume()
  }
}
