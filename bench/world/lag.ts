/** What there was at one moment: readings the broker has acknowledged, and rows the table holds, both since the start. */
export interface Mark {
  /** Milliseconds. */
  readonly at: number
  readonly acknowledged: number
  readonly committed: number
}

/**
 * Milliseconds between the acknowledgement of a reading and its row, for the readings acknowledged up to `until`: from the
 * two curves, so the order among devices does not count, and no finer than the marks are apart.
 */
export function lagsOf(marks: readonly Mark[], until: number): { readonly p50: number; readonly p95: number } {
  const lags: { ms: number; readings: number }[] = []
  let reached = 0
  for (const [i, { at, acknowledged }] of marks.entries()) {
    if (i === 0 || at > until) continue
    while (reached < marks.length && (marks[reached] as Mark).committed < acknowledged) reached++
    const row = marks[reached]
    // Those of the last seconds have no row yet among the marks.
    if (row === undefined) break
    lags.push({ ms: Math.max(0, row.at - at), readings: acknowledged - (marks[i - 1] as Mark).acknowledged })
  }
  lags.sort((a, b) => a.ms - b.ms)
  return { p50: percentile(lags, 0.5), p95: percentile(lags, 0.95) }
}

function percentile(lags: readonly { ms: number; readings: number }[], share: number): number {
  const wanted = lags.reduce((sum, { readings }) => sum + readings, 0) * share
  let passed = 0
  for (const { ms, readings } of lags) {
    passed += readings
    if (passed >= wanted) return ms
  }
  return Number.NaN
}
