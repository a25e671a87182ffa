import { sigmoid } from '../classify/judge-feature.ts'

/*
 * Logistic regression of one feature by Newton's method (iteratively reweighted least squares; McCullagh and Nelder,
 * Generalized Linear Models, 1989, 2.5). Two unknowns and a two-by-two system: a library would bring more code than this, and
 * other results with every version.
 */

export interface Point {
  /** The feature's logarithm. */
  readonly x: number
  readonly y: boolean
}

export interface Fit {
  readonly intercept: number
  readonly slope: number
}

/**
 * Weight of ½ · slope² beside the log-likelihood, so small that only data which a threshold separates wholly feel it: those
 * would drive the slope to infinity.
 */
const RIDGE = 0.001
const MOST_STEPS = 100
const ENOUGH = 1e-9

/** The most likely fit; the same data give the same. Throws when the points have no two classes. */
export function fitLogistic(points: readonly Point[]): Fit {
  const positive = points.filter(({ y }) => y).length
  if (positive === 0 || positive === points.length) throw new RangeError('one class has no points')
  // About the mean feature the two unknowns hardly depend on one another.
  const centre = points.reduce((sum, { x }) => sum + x, 0) / points.length
  let [a, b] = [Math.log(positive / (points.length - positive)), 0]
  let loss = lossOf(points, centre, a, b)
  for (let step = 0; step < MOST_STEPS; step++) {
    let [ga, gb, haa, hab, hbb] = [0, -RIDGE * b, 0, 0, RIDGE]
    for (const { x, y } of points) {
      const dx = x - centre
      const p = sigmoid(a + b * dx)
      const w = p * (1 - p)
      ga += Number(y) - p
      gb += (Number(y) - p) * dx
      haa += w
      hab += w * dx
      hbb += w * dx * dx
    }
    const determinant = haa * hbb - hab * hab
    const da = (hbb * ga - hab * gb) / determinant
    const db = (haa * gb - hab * ga) / determinant
    // The loss is convex: a step that is too long is halved until it leads down.
    let scale = 1
    let next = lossOf(points, centre, a + da, b + db)
    while (!(next <= loss) && scale > ENOUGH) {
      scale /= 2
      next = lossOf(points, centre, a + scale * da, b + scale * db)
    }
    a += scale * da
    b += scale * db
    const gain = loss - next
    loss = next
    if (gain < ENOUGH) break
  }
  return { intercept: a - b * centre, slope: b }
}

function lossOf(points: readonly Point[], centre: number, a: number, b: number): number {
  let loss = (RIDGE * b * b) / 2
  for (const { x, y } of points) {
    const z = a + b * (x - centre)
    // -ln of the probability of what was, without e^z growing out of bounds.
    const against = y ? -z : z
    loss += Math.max(against, 0) + Math.log1p(Math.exp(-Math.abs(against)))
  }
  return loss
}
