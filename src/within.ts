import type { Clock } from './clock.ts'

/** Waits for `work`, but no longer than `ms`; the signal it gets aborts then. */
export async function within(ms: number, clock: Clock, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const late = new AbortController()
  const done = new AbortController()
  const deadline = clock.sleep(ms, done.signal).then(
    () => late.abort(),
    () => undefined,
  )
  try {
    await Promise.race([work(late.signal), deadline])
  } finally {
    done.abort()
  }
}
