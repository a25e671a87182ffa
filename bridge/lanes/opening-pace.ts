import type { Clock } from '../../src/clock.ts'

/**
 * Spaces the opening of channels: opening is slow and limited at the service, and a fleet starts all at once.
 * Gives a function that waits for the caller's turn.
 */
export function openingPace(perSecond: number, clock: Clock): (signal: AbortSignal) => Promise<void> {
  const spacingMs = 1000 / Math.max(perSecond, 0.001)
  let next = Number.NEGATIVE_INFINITY
  return async (signal) => {
    const now = clock.monotonic()
    const turn = Math.max(now, next)
    next = turn + spacingMs
    if (turn > now) await clock.sleep(turn - now, signal)
    signal.throwIfAborted()
  }
}
