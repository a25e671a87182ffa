import { performance } from 'node:perf_hooks'
import type { StopSignal } from './stop.ts'

/**
 * Time as a parameter. Product code never calls `Date.now` or `setTimeout` itself, so that tests can
 * move time by hand.
 */
export interface Clock {
  /** Wall clock, epoch milliseconds. It may jump (a Pi has no battery clock): label with it, never order by it. */
  now(): number
  /** Milliseconds that only ever rise, from an arbitrary start. Order and measure with it. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: StopSignal): Promise<void>
  /** Calls `act` after `ms`, unless what it gives is called first. Much lighter than `sleep` with a signal. */
  after(ms: number, act: () => void): () => void
}

/** The longest delay Node's timers take (2^31 - 1 ms); anything above would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647

export function systemClock(): Clock {
  const after: Clock['after'] = (ms, act) => {
    const timer = setTimeout(act, Math.min(Math.max(0, ms), LONGEST_TIMER_MS))
    return () => clearTimeout(timer)
  }
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = () => {
          cancel()
          reject(signal?.reason)
        }
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    after,
  }
}
