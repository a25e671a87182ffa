import type { Clock } from '../src/clock.ts'
import { messageOf } from '../src/errors.ts'
import type { Log } from '../src/log.ts'

export interface SamplerOptions {
  readonly intervalMs: number
  /** Stop by itself after that many ticks; 0 never does. */
  readonly limit: number
}

export interface Sampler {
  /** Ticks that passed while the one before was still at work. */
  readonly missed: number
  /** Resolves when the limit is reached; not when it is stopped before. */
  readonly finished: Promise<void>
  /** No tick begins after it; resolves when the one at work has ended. */
  stop(): Promise<void>
}

/**
 * Calls `tick` at start + 0, 1, 2 … intervals of the monotonic clock. A late tick does not shift the later
 * ones, and ticks whose time has passed are skipped and counted, never made up for in a bunch.
 */
export function startSampler(
  options: SamplerOptions,
  tick: () => Promise<void>,
  deps: { readonly clock: Clock; readonly log: Log },
): Sampler {
  const { clock, log } = deps
  const stopping = new AbortController()
  let missed = 0
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })

  const run = async () => {
    const start = clock.monotonic()
    let index = 0
    for (let taken = 0; !stopping.signal.aborted; ) {
      try {
        await tick()
      } catch (error) {
        log.error({ err: error, reason: messageOf(error) }, 'a reading could not be taken')
      }
      if (++taken === options.limit) return finish()
      // A timer may fire a little early, so the index only rises.
      const next = Math.max(index + 1, Math.floor((clock.monotonic() - start) / options.intervalMs) + 1)
      missed += next - index - 1
      index = next
      const wait = start + index * options.intervalMs - clock.monotonic()
      await clock.sleep(wait, stopping.signal).catch(() => undefined)
    }
  }
  const running = run()

  return {
    get missed() {
      return missed
    },
    finished,
    stop() {
      stopping.abort()
      return running
    },
  }
}
