import { type Clock, systemClock } from '../../src/clock.ts'

const TIMES = 10

/**
 * Time that passes ten times as fast for everything that waits or measures, so that minutes of recovery take seconds. Timers,
 * the bounds of what must not take long, keep to the real one: the machine is no faster.
 */
export function quickClock(): Clock {
  const real = systemClock()
  return {
    now: real.now,
    monotonic: () => real.monotonic() * TIMES,
    sleep: (ms, signal) => real.sleep(ms / TIMES, signal),
    after: real.after,
  }
}
