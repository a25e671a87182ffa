import type { Sample } from '../../../phone/windows/sample.ts'

const SECOND = 1_000_000
const LENGTH = 10 * SECOND
const SLIDE = 2 * SECOND

export interface PlainWindow {
  readonly deviceId: string
  readonly sessionId: string
  readonly endUs: number
  readonly samples: number
  readonly avgMagnitude: number
  readonly stdTotal: number | null
  readonly coverage: number
}

/** The windows' rules as they are written down, one entry per window, nothing shared, nothing clever. */
export function startsOf(tUs: number): number[] {
  const rest = ((tUs % SLIDE) + SLIDE) % SLIDE
  const starts: number[] = []
  for (let i = 0; i < Math.ceil(LENGTH / SLIDE); i++) {
    const start = tUs - rest - i * SLIDE
    if (start <= tUs && tUs < start + LENGTH) starts.push(start)
  }
  return starts
}

export class PerWindowReference {
  readonly #perDevice: boolean
  readonly #late: 'previous' | 'current'
  readonly #delayMs: number
  readonly #state = new Map<string, { endUs: number; samples: Sample[] }>()
  readonly #marks = new Map<string, { previous: number; current: number }>()
  droppedPairs = 0

  constructor(perDevice: boolean, late: 'previous' | 'current', delayMs = 10_000) {
    this.#perDevice = perDevice
    this.#late = late
    this.#delayMs = delayMs
  }

  process(batch: readonly Sample[]): PlainWindow[] {
    if (!this.#perDevice) return this.#one(batch, '')
    const devices = [...new Set(batch.map(({ deviceId }) => deviceId))]
    const all = devices.length > 0 ? devices : [...this.#marks.keys()]
    return all.flatMap((id) =>
      this.#one(
        batch.filter(({ deviceId }) => deviceId === id),
        id,
      ),
    )
  }

  /** Every window still open, as if it were finished now. */
  rest(): PlainWindow[] {
    return [...this.#state.values()].map(plain)
  }

  #one(batch: readonly Sample[], scope: string): PlainWindow[] {
    const mark = this.#marks.get(scope) ?? { previous: 0, current: 0 }
    this.#marks.set(scope, mark)
    const lateUntil = this.#late === 'previous' ? mark.previous : mark.current
    for (const sample of batch)
      for (const start of startsOf(sample.tUs)) {
        if (start + LENGTH <= lateUntil) {
          this.droppedPairs++
          continue
        }
        const key = JSON.stringify([sample.deviceId, sample.sessionId, start])
        const entry = this.#state.get(key) ?? { endUs: start + LENGTH, samples: [] }
        entry.samples.push(sample)
        this.#state.set(key, entry)
      }
    const out: PlainWindow[] = []
    for (const [key, entry] of this.#state) {
      const isInScope = scope === '' || entry.samples[0]?.deviceId === scope
      if (!isInScope || entry.endUs > mark.current) continue
      out.push(plain(entry))
      this.#state.delete(key)
    }
    mark.previous = mark.current
    if (batch.length > 0) {
      const largestMs = Math.floor(Math.max(...batch.map(({ tUs }) => tUs)) / 1000)
      mark.current = Math.max(mark.current, (largestMs - this.#delayMs) * 1000)
    }
    return out
  }
}

function plain({ endUs, samples }: { endUs: number; samples: readonly Sample[] }): PlainWindow {
  const [{ deviceId = '', sessionId = '' } = {}] = samples
  const totals = samples.flatMap(({ total }) => total ?? [])
  const mean = totals.reduce((sum, value) => sum + value, 0) / totals.length
  const variance = totals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / totals.length
  return {
    deviceId,
    sessionId,
    endUs,
    samples: samples.length,
    avgMagnitude: samples.reduce((sum, { magnitude }) => sum + magnitude, 0) / samples.length,
    stdTotal: totals.length * 2 >= samples.length ? Math.sqrt(variance) : null,
    coverage: new Set(samples.map(({ tUs }) => Math.floor(tUs / SECOND))).size / 10,
  }
}

/** In an order that does not depend on how they were found (rule E-7), as numbers that do not depend on the order of sums. */
export function comparable(windows: readonly PlainWindow[]) {
  const digits = (value: number) => Number(value.toPrecision(9))
  return windows
    .map(({ deviceId, sessionId, endUs, samples, avgMagnitude, stdTotal, coverage }) => ({
      key: `${deviceId} ${sessionId} ${endUs}`,
      samples,
      avg: digits(avgMagnitude),
      // The root of a variance of nothing but rounding is rounding too.
      std: stdTotal === null ? null : Math.round(stdTotal * 1e5) / 1e5,
      coverage: digits(coverage),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}
