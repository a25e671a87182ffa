import type { Reading } from '../../src/reading.ts'
import type { Intervals } from '../intervals.ts'
import { STATE_VALUES } from './state-values.ts'

/** The latest values for people, on `state`. Every key is there; `null` shows as unknown. */
export type State = Readonly<Record<string, number | string | null>>

/** No two messages on `state` are closer. */
const LEAST_GAP_MS = 1_000
/** An angle just below it rounds to it, and is 0 again. */
const FULL_TURN = 360

/** The reading rounded for people, with the time of measuring. */
export function stateOf(reading: Reading): State {
  const state: Record<string, number | string | null> = { datetimestamp: reading.datetimestamp }
  for (const { key, decimals, unit } of STATE_VALUES) {
    const value = reading[key]
    const shown = value === null ? null : roundTo(value, decimals)
    state[key] = unit === '°' && shown === FULL_TURN ? 0 : shown
  }
  return state
}

/** Decides when `state` is told: each interval, and earlier when a value has left its deadband. */
export class StatePolicy {
  readonly #intervals: Pick<Intervals, 'readingMs' | 'stateMs'>
  #told: Reading | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(intervals: Pick<Intervals, 'readingMs' | 'stateMs'>) {
    this.#intervals = intervals
  }

  due(reading: Reading, nowMs: number): boolean {
    const since = nowMs - this.#toldAt
    const { readingMs, stateMs } = this.#intervals
    // A reading so little before the time will do, for the next one would be late.
    if (this.#told === undefined || since >= Math.max(LEAST_GAP_MS, stateMs - readingMs / 2)) return true
    return since >= LEAST_GAP_MS && hasMoved(this.#told, reading)
  }

  told(reading: Reading, nowMs: number): void {
    this.#told = reading
    this.#toldAt = nowMs
  }
}

function hasMoved(from: Reading, to: Reading): boolean {
  return STATE_VALUES.some(({ key, deadband, deadbandShare = 0, unit }) => {
    if (deadband === undefined) return false
    const [before, after] = [from[key], to[key]]
    if (before === null || after === null) return before !== after
    const change = Math.abs(after - before)
    const least = Math.max(deadband, deadbandShare * Math.abs(before))
    return (unit === '°' ? Math.min(change, FULL_TURN - change) : change) >= least
  })
}

function roundTo(value: number, decimals: number): number {
  const scale = 10 ** decimals
  const result = Math.round(value * scale) / scale
  return result === 0 ? 0 : result
}
