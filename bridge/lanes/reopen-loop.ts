import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { StopSignal } from '../../src/stop.ts'

/** More than this many in the window is no accident [spec 14.4]. */
const MOST = 5
const WINDOW_MS = 60_000
/** A loop is over when the channel was not opened again for this long. */
const QUIET_MS = 5 * 60_000
/** Between two openings while there is a loop: whoever else opens the channel gets room to be noticed and stopped. */
const PACE_MS = 30_000

/**
 * Notices a channel that has to be opened again and again. The last opener wins and there is no lease, so two programs
 * with one channel take it from one another without end; nobody but this count would tell.
 */
export class ReopenLoop {
  #times: number[] = []
  #loop = false

  /** `now` is monotonic. */
  isLoop(now: number): boolean {
    if (this.#loop && now - (this.#times.at(-1) ?? now) > QUIET_MS) this.#loop = false
    return this.#loop
  }

  /** Somebody has looked after it. */
  reset(): void {
    this.#times = []
    this.#loop = false
  }

  /** Called before the channel is opened again. Waits when that happens too often, and says so the first time. */
  async paced(log: Log, clock: Clock, signal: StopSignal): Promise<void> {
    const now = clock.monotonic()
    const before = this.isLoop(now)
    this.#times = [...this.#times.filter((time) => now - time < WINDOW_MS), now]
    if (this.#times.length > MOST) this.#loop = true
    if (!this.#loop) return
    if (!before)
      log.fatal(
        {
          code: 'duplicate_channel_owner',
          times: this.#times.length,
          hint: 'is another bridge, or another program, writing to the same pipe and channel? Stop it',
        },
        'the channel is taken away again and again; opening it slowly from here on',
      )
    await clock.sleep(PACE_MS, signal)
  }
}
