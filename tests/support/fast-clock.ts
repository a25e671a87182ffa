import { type Clock, systemClock } from '../../src/clock.ts'

/** Real time, so many times faster: for programs that wait for half a minute and a broker that is as it is. */
export function fastClock(times: number): Clock {
  const real = systemClock()
  const began = { wall: real.now(), monotonic: real.monotonic() }
  const passed = () => (real.monotonic() - began.monotonic) * times
  return {
    now: () => began.wall + passed(),
    monotonic: passed,
    sleep: (ms, signal) => real.sleep(ms / times, signal),
    after: (ms, act) => real.after(ms / times, act),
  }
}
