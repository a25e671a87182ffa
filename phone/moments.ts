/** How many values there were, their mean, and the sum of their squared distances from it. */
export interface Moments {
  n: number
  mean: number
  m2: number
}

export function noMoments(): Moments {
  return { n: 0, mean: 0, m2: 0 }
}

/**
 * Welford's step (B. P. Welford, Technometrics 4(3), 1962): no difference of two large sums, so that a small spread about a
 * large mean, as of a phone lying still, keeps its digits.
 */
export function addTo(moments: Moments, value: number): void {
  moments.n++
  const before = value - moments.mean
  moments.mean += before / moments.n
  moments.m2 += before * (value - moments.mean)
}

/** Puts `other` into `moments` (Chan, Golub, LeVeque, The American Statistician 37(3), 1983). */
export function mergeInto(moments: Moments, other: Readonly<Moments>): void {
  if (other.n === 0) return
  const n = moments.n + other.n
  const between = other.mean - moments.mean
  moments.mean += (between * other.n) / n
  moments.m2 += other.m2 + (between * between * moments.n * other.n) / n
  moments.n = n
}

/** Population standard deviation; `NaN` of nothing. */
export function deviation({ n, m2 }: Readonly<Moments>): number {
  return Math.sqrt(m2 / n)
}
