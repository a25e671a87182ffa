import { length, minus, plus, scaled, type Vector } from '../sensors/rotation.ts'
import { type Affine, corrected, keepingVolume } from './affine.ts'
import { diagonal, eigen, type Matrix3, product, scaledMatrix, times, transposed } from './matrix3.ts'

/** The ellipsoid a field that is the same everywhere draws when the board is turned through it. */
export interface EllipsoidFit {
  /** Makes a sphere about zero of it. */
  readonly affine: Affine
  /** Radius of that sphere: the strength of the field, µT. */
  readonly radius: number
  /** Root mean square of the distance of the points from that sphere, as a share of the radius. */
  readonly residual: number
}

/** Unknowns of a quadric. */
const UNKNOWNS = 9

/**
 * The ellipsoid nearest to the points: least squares of the quadric A x² + B y² + C z² + 2D xy + 2E xz + 2F yz + 2G x + 2H y + 2I z = 1.
 * `undefined` when the points do not tell one: too few, or on a plane, or of another surface.
 */
export function fitEllipsoid(points: readonly Vector[]): EllipsoidFit | undefined {
  if (points.length < UNKNOWNS) return undefined
  // That form cannot describe a surface through zero, so the points are moved about it, and to sizes about 1.
  const { middle, size } = boxOf(points)
  if (!(size > 0)) return undefined
  const quadric = solved(...normalEquations(points.map((point) => scaled(minus(point, middle), 1 / size))))
  if (quadric === undefined) return undefined
  const [a, b, c, d, e, f, g, h, i] = quadric as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const shape: Matrix3 = [
    [a, d, e],
    [d, b, f],
    [e, f, c],
  ]
  const { values, vectors } = eigen(shape)
  const slope = times(transposed(vectors), { x: g, y: h, z: i })
  const own = { x: -slope.x / values[0], y: -slope.y / values[1], z: -slope.z / values[2] }
  const k = 1 + values[0] * own.x ** 2 + values[1] * own.y ** 2 + values[2] * own.z ** 2
  const inverse = values.map((value) => value / k)
  if (!inverse.every((value) => value > 0 && Number.isFinite(value))) return undefined
  const [p, q, r] = inverse.map(Math.sqrt) as [number, number, number]
  const matrix = product(product(vectors, diagonal([p, q, r])), transposed(vectors))
  const offset = plus(middle, scaled(times(vectors, own), size))
  const affine = keepingVolume({ offset, matrix: symmetric(matrix) })
  const radii = points.map((point) => length(corrected(affine, point)))
  const radius = radii.reduce((sum, one) => sum + one, 0) / radii.length
  const squares = radii.reduce((sum, one) => sum + (one / radius - 1) ** 2, 0)
  return { affine, radius, residual: Math.sqrt(squares / radii.length) }
}

/** Without what rounding has made different. */
function symmetric(m: Matrix3): Matrix3 {
  const t = transposed(m)
  const row = (i: 0 | 1 | 2) => [m[i][0] + t[i][0], m[i][1] + t[i][1], m[i][2] + t[i][2]] as const
  return scaledMatrix([row(0), row(1), row(2)], 0.5)
}

/** Middle of the least box about the points, and half of its longest side. */
export function boxOf(points: readonly Vector[]): { middle: Vector; size: number } {
  const least = { x: Number.POSITIVE_INFINITY, y: Number.POSITIVE_INFINITY, z: Number.POSITIVE_INFINITY }
  const most = { x: Number.NEGATIVE_INFINITY, y: Number.NEGATIVE_INFINITY, z: Number.NEGATIVE_INFINITY }
  for (const point of points)
    for (const axis of ['x', 'y', 'z'] as const) {
      least[axis] = Math.min(least[axis], point[axis])
      most[axis] = Math.max(most[axis], point[axis])
    }
  const { x, y, z } = minus(most, least)
  return { middle: scaled(plus(least, most), 0.5), size: Math.max(x, y, z) / 2 }
}

function normalEquations(points: readonly Vector[]): [left: number[][], right: number[]] {
  const left = Array.from({ length: UNKNOWNS }, () => new Array<number>(UNKNOWNS).fill(0))
  const right = new Array<number>(UNKNOWNS).fill(0)
  for (const { x, y, z } of points) {
    const terms = [x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z, 2 * x, 2 * y, 2 * z]
    for (const [i, row] of left.entries()) {
      const term = terms[i] ?? 0
      for (const [j, other] of terms.entries()) row[j] = (row[j] ?? 0) + term * other
      right[i] = (right[i] ?? 0) + term
    }
  }
  return [left, right]
}

/** A pivot smaller than that share of the largest entry: the equations do not tell all unknowns. */
const SINGULAR = 1e-10

/** Gauss's elimination with the largest pivot; `undefined` when there is no one solution. */
function solved(left: number[][], right: number[]): number[] | undefined {
  const rows = left.map((row, i) => [...row, right[i] ?? 0])
  const largest = Math.max(...left.flat().map(Math.abs))
  for (let column = 0; column < UNKNOWNS; column++) {
    let pivot = column
    for (let row = column + 1; row < UNKNOWNS; row++)
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = row
    const [own, other] = [rows[column] as number[], rows[pivot] as number[]]
    rows[column] = other
    rows[pivot] = own
    const by = other[column] ?? 0
    if (!(Math.abs(by) > SINGULAR * largest)) return undefined
    for (const [i, row] of rows.entries()) {
      if (i === column) continue
      const share = (row[column] ?? 0) / by
      for (let j = column; j <= UNKNOWNS; j++) row[j] = (row[j] ?? 0) - share * (other[j] ?? 0)
    }
  }
  return rows.map((row, i) => (row[UNKNOWNS] ?? 0) / (row[i] ?? 1))
}
