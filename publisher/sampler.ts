import { Bell } from '../src/bell.ts'
import type { Clock } from '../src/clock.ts'
import { messageOf } from '../src/errors.ts'
import type { Log } from '../src/log.ts'

export interface SamplerOptions {
  /** Asked before each wait. */
  readonly intervalMs: () => number
  /** Stop by itself after that many ticks; 0 never does. */
  readonly limit: number
}

export interface Sampler {
  /** Ticks that passed while the one before was still at work. */
  readonly missed: number
  /**
   * Milliseconds of the first tick that has begun since one last ended well, to the end of the last one or to now while one is
   * at work; 0 while there is none. The wait for the next tick after one that failed is no part of it: it may be a day.
   */
  readonly pendingMs: number
  /** Resolves when the limit is reached; not when it is stopped before. */
  readonly finished: Promise<void>
  /** The interval is another one: counted from the last tick, the next comes after the new one. */
  retime(): void
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
  const bell = new Bell()
  let stopped = false
  let missed = 0
  let pendingSince: number | undefined
  let failedAt: number | undefined
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })

  const run = async () => {
    let start = clock.monotonic()
    let intervalMs = options.intervalMs()
    let index = 0
    for (let taken = 0; !stopped; ) {
      pendingSince ??= clock.monotonic()
      failedAt = undefined
      try {
        await tick()
        pendingSince = undefined
      } catch (error) {
        failedAt = clock.monotonic()
        log.error({ err: error, reason: messageOf(error) }, 'a reading could not be taken')
      }
      if (++taken === options.limit) return finish()
      const next = Math.max(index + 1, Math.floor((clock.monotonic() - start) / intervalMs) + 1)
      missed += next - index - 1
      index = next
      while (!stopped) {
        const asked = options.intervalMs()
        if (asked !== intervalMs) {
          start += (index - 1) * intervalMs
          intervalMs = asked
          index = 1
        }
        const wait = start + index * intervalMs - clock.monotonic()
        if (wait <= 0) break
        await bell.waitAtMost(wait, clock)
      }
    }
  }
  const running = run()

  return {
    get missed() {
      return missed
    },
    get pendingMs() {
      return pendingSince === undefined ? 0 : (failedAt ?? clock.monotonic()) - pendingSince
    },
    finished,
    retime() {
      bell.ring()
    },
    stop() {
      stopped = true
      bell.ring()
      return running
    },
  }
}
