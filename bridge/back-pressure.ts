import type { Clock } from '../src/clock.ts'
import { SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { Spool } from './spool/spool.ts'

/** Messages are taken again when the spool is no fuller than this. */
const RESUME_AT = 0.8
/** How often it is tried again when it was not the spool's limit: nobody tells when a disk has room again. */
const TRY_AGAIN_MS = 30_000

export interface BackPressureDeps {
  readonly clock: Clock
  readonly log: Log
  readonly spool: Spool
  /** Of rows in the spool. */
  readonly maxBytes: number
  /** Makes the connection anew. */
  readonly resume: () => void
}

/**
 * A full spool takes nothing: messages are not acknowledged, so the broker keeps them, and publishers keep their
 * readings. When there is room again the connection is made anew, because a broker sends again only then.
 */
export class BackPressure {
  readonly #deps: BackPressureDeps
  readonly #stop = new AbortController()
  #full = false

  constructor(deps: BackPressureDeps) {
    this.#deps = deps
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
    // Many messages are under way at once; the first one told.
    if (error instanceof SnowhatError && error.code === 'E_SPOOL_FULL' && !this.#full) {
      this.#full = true
      this.#deps.log.error(
        {
          bytes: this.#deps.spool.bytes,
          hint: 'nothing is lost: the broker and the publishers keep it until Snowflake takes rows, and the disk has room',
        },
        'the spool is full; nothing more is acknowledged',
      )
      void this.#tryAgain()
    }
    throw error
  }

  /** Rows have left the spool. */
  eased(): void {
    const { log, maxBytes, resume, spool } = this.#deps
    if (!this.#full || spool.bytes > maxBytes * RESUME_AT) return
    this.#full = false
    log.info({ bytes: spool.bytes }, 'there is room in the spool again')
    resume()
  }

  close(): void {
    this.#stop.abort()
  }

  /** While rows leave, they tell. */
  async #tryAgain(): Promise<void> {
    const { signal } = this.#stop
    while (this.#full && !signal.aborted) {
      await this.#deps.clock.sleep(TRY_AGAIN_MS, signal).catch(() => undefined)
      if (!signal.aborted) this.eased()
    }
  }
}
