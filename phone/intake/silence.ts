import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'

export interface SilenceDeps {
  readonly clock: Clock
  readonly log: Log
  /** Writes down that a recording is over. */
  readonly end: (deviceId: string, sessionId: string) => Promise<unknown>
}

const LOOK_EVERY_MS = 1_000

/**
 * Notices when a recording falls silent: by the time of receipt, for nobody else knows that nothing comes. What it finds is written
 * into the journal, so that whoever reads that again need not wait.
 */
export class Silence {
  readonly #afterMs: number
  readonly #deps: SilenceDeps
  /** Open recordings, and when they were last heard by the clock that only rises. */
  readonly #heard = new Map<string, { readonly deviceId: string; readonly sessionId: string; readonly at: number }>()
  #cancel: (() => void) | undefined

  constructor(afterMs: number, deps: SilenceDeps) {
    this.#afterMs = afterMs
    this.#deps = deps
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => {
      this.start()
      this.#look()
    })
  }

  heard(deviceId: string, sessionId: string): void {
    this.#heard.set(JSON.stringify([deviceId, sessionId]), { deviceId, sessionId, at: this.#deps.clock.monotonic() })
  }

  close(): void {
    this.#cancel?.()
  }

  #look(): void {
    const { clock, end, log } = this.#deps
    const now = clock.monotonic()
    for (const [key, { deviceId, sessionId, at }] of this.#heard) {
      if (now - at < this.#afterMs) continue
      this.#heard.delete(key)
      end(deviceId, sessionId).catch((error: unknown) => {
        // Its last windows come a little later.
        this.heard(deviceId, sessionId)
        log.debug({ reason: messageOf(error) }, 'the end of a recording could not be written down')
      })
    }
  }
}
