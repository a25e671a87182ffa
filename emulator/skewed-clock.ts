import type { Clock } from '../src/clock.ts'

/** A clock whose wall time is ahead of another's. */
export function skewedClock(clock: Clock, aheadMs: () => number): Clock {
  return {
    now: () => clock.now() + aheadMs(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, act) => clock.after(ms, act),
  }
}
