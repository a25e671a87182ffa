export interface Point {
  /** Seconds since the start. */
  readonly at: number
  readonly value: number
  /** Which process it was measured on: each starts from a level of its own. */
  readonly life: number
}

export interface Trend {
  readonly mean: number
  /** Per second. */
  readonly slope: number
}

/**
 * The least-squares line through the points, with one slope for all lives and a level for each of them: a restart gives the
 * memory back, and one line through all would take that for a leak mended, or the other way round.
 */
export function trendOf(points: readonly Point[]): Trend {
  let together = 0
  let apart = 0
  for (const one of new Set(points.map(({ life }) => life))) {
    const own = points.filter(({ life }) => life === one)
    const [at, value] = [mean(own.map((point) => point.at)), mean(own.map((point) => point.value))]
    for (const point of own) {
      together += (point.at - at) * (point.value - value)
      apart += (point.at - at) ** 2
    }
  }
  return { mean: mean(points.map(({ value }) => value)), slope: together / apart }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
