import type { Reading } from '../../wire/message.ts'
import { type Arrival, fields, isoMicros } from './message-rows.ts'

/** A second is finished when a reading of its phone is so much later. */
const LATENESS_US = 2_000_000
const SECOND_US = 1_000_000
/** A reading this far ahead of its receipt finishes nothing: a clock may be wrong. */
const FUTURE_MS = 60_000
/** Seconds that are open at a time; a clock that jumps about must not make more. */
const MOST_OPEN = 256

interface Open {
  readonly sessionId: string
  readonly sensor: string
  readonly startUs: number
  /** Lengths of the three axes together, in the order they came. */
  readonly lengths: number[]
}

/** What `SecondRows` writes to a snapshot. */
export interface SecondsState {
  readonly open: readonly Open[]
  readonly closedUntilUs: number | null
  readonly late: number
}

/**
 * The mode `seconds`: for each sensor with three axes and each second of event time the statistics of the length of its vector.
 * Of one phone. A reading that comes more than two seconds after later ones is counted and left out. A second in which the
 * phone fell silent may have two rows: one of before and one of after.
 */
export class SecondRows {
  readonly #deviceId: string
  readonly #open: Map<string, Open>
  #closedUntilUs: number
  #late: number

  constructor(deviceId: string, state: SecondsState = { open: [], closedUntilUs: null, late: 0 }) {
    this.#deviceId = deviceId
    this.#open = new Map(state.open.map((one) => [keyOf(one), { ...one, lengths: [...one.lengths] }]))
    this.#closedUntilUs = state.closedUntilUs ?? Number.NEGATIVE_INFINITY
    this.#late = state.late
  }

  /** The inner JSON of each second that is finished now. */
  add({ message, receivedAt }: Arrival): string[] {
    const guardUs = (receivedAt + FUTURE_MS) * 1_000
    for (const reading of message.readings) {
      if (!this.#put(message.sessionId, reading) || reading.tUs > guardUs) continue
      this.#closedUntilUs = Math.max(this.#closedUntilUs, reading.tUs - LATENESS_US)
    }
    const rows = this.#finish(this.#closedUntilUs)
    for (const one of this.#open.values()) {
      if (this.#open.size <= MOST_OPEN) break
      rows.push(...this.#close(one))
    }
    return rows
  }

  /** A recording has ended: all of it. Without a name, of all recordings. */
  flush(sessionId?: string): string[] {
    return this.#finish(Number.POSITIVE_INFINITY, sessionId)
  }

  state(): SecondsState {
    const closed = Number.isFinite(this.#closedUntilUs) ? this.#closedUntilUs : null
    return { open: [...this.#open.values()], closedUntilUs: closed, late: this.#late }
  }

  #put(sessionId: string, { sensor, tUs, axes }: Reading): boolean {
    if (axes === undefined) return false
    const startUs = Math.floor(tUs / SECOND_US) * SECOND_US
    if (startUs + SECOND_US <= this.#closedUntilUs) {
      this.#late++
      return false
    }
    const fresh: Open = { sessionId, sensor, startUs, lengths: [] }
    const open = this.#open.get(keyOf(fresh)) ?? fresh
    open.lengths.push(Math.hypot(axes.x, axes.y, axes.z))
    this.#open.set(keyOf(open), open)
    return true
  }

  #finish(untilUs: number, only?: string): string[] {
    const due = [...this.#open.values()].filter(
      ({ startUs, sessionId }) => startUs + SECOND_US <= untilUs && (only === undefined || sessionId === only),
    )
    due.sort((a, b) => a.startUs - b.startUs || (keyOf(a) < keyOf(b) ? -1 : 1))
    return due.flatMap((one) => this.#close(one))
  }

  #close(one: Open): string[] {
    this.#open.delete(keyOf(one))
    const { sessionId, sensor, startUs, lengths } = one
    const second = { deviceId: this.#deviceId, sessionId, sensorType: sensor, second: isoMicros(startUs) }
    return [fields({ ...second, ...statistics(lengths) })]
  }
}

function keyOf({ sessionId, sensor, startUs }: Pick<Open, 'sessionId' | 'sensor' | 'startUs'>): string {
  return JSON.stringify([startUs, sensor, sessionId])
}

/** `std` of the population; `p95` the smallest length that is not below 95 of a hundred. */
function statistics(lengths: readonly number[]) {
  const sorted = [...lengths].sort((a, b) => a - b)
  const n = sorted.length
  const mean = lengths.reduce((sum, length) => sum + length, 0) / n
  const variance = lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / n
  const p95 = sorted[Math.ceil(0.95 * n) - 1]
  return { n_samples: n, mean, std: Math.sqrt(variance), min: sorted[0], max: sorted[n - 1], p95 }
}
