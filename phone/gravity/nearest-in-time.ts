import type { Axes } from '../wire/message.ts'

/** A vector and when it was measured. */
export interface Timed extends Axes {
  /** Microseconds since 1970. */
  readonly tUs: number
}

/** Readings further apart than this do not belong together (rule G-2). */
export const TOGETHER_US = 50_000

/** As many of another sensor as it may send within `TOGETHER_US`, at the 404 Hz of the fastest known phone [documented]. */
const MOST_KEPT = 32

/** Gives, for ever later times, the reading nearest in time; `undefined` where none is near enough. `readings` are in time order. */
export function nearestInTime(readings: readonly Timed[]): (tUs: number) => Timed | undefined {
  let at = 0
  return (tUs) => {
    for (;;) {
      const [here, next] = [readings[at], readings[at + 1]]
      if (here === undefined) return undefined
      if (next === undefined || Math.abs(next.tUs - tUs) > Math.abs(here.tUs - tUs))
        return Math.abs(here.tUs - tUs) <= TOGETHER_US ? here : undefined
      at++
    }
  }
}

/** What of `readings`, which are in time order, may still be near to what comes in the next message. */
export function stillNear(readings: readonly Timed[]): Timed[] {
  const last = readings.at(-1)
  if (last === undefined) return []
  return readings.slice(-MOST_KEPT).filter(({ tUs }) => tUs >= last.tUs - TOGETHER_US)
}

export function byTime(a: Timed, b: Timed): number {
  return a.tUs - b.tUs
}
