import type { Vector } from '../sensors/rotation.ts'

type Row = readonly [number, number, number]
/** Three rows. */
export type Matrix3 = readonly [Row, Row, Row]

export const IDENTITY: Matrix3 = diagonal([1, 1, 1])

export function diagonal([x, y, z]: Row): Matrix3 {
  return [
    [x, 0, 0],
    [0, y, 0],
    [0, 0, z],
  ]
}

export function times(m: Matrix3, { x, y, z }: Vector): Vector {
  const [p, q, r] = m
  return {
    x: p[0] * x + p[1] * y + p[2] * z,
    y: q[0] * x + q[1] * y + q[2] * z,
    z: r[0] * x + r[1] * y + r[2] * z,
  }
}

export function product(a: Matrix3, b: Matrix3): Matrix3 {
  const [p, q, r] = transposed(b)
  const row = ([x, y, z]: Row): Row => [
    x * p[0] + y * p[1] + z * p[2],
    x * q[0] + y * q[1] + z * q[2],
    x * r[0] + y * r[1] + z * r[2],
  ]
  return [row(a[0]), row(a[1]), row(a[2])]
}

export function transposed([p, q, r]: Matrix3): Matrix3 {
  return [
    [p[0], q[0], r[0]],
    [p[1], q[1], r[1]],
    [p[2], q[2], r[2]],
  ]
}

export function determinant([p, q, r]: Matrix3): number {
  return p[0] * (q[1] * r[2] - q[2] * r[1]) - p[1] * (q[0] * r[2] - q[2] * r[0]) + p[2] * (q[0] * r[1] - q[1] * r[0])
}

export function scaledMatrix([p, q, r]: Matrix3, by: number): Matrix3 {
  const row = ([x, y, z]: Row): Row => [x * by, y * by, z * by]
  return [row(p), row(q), row(r)]
}

/** Eigenvalues, and eigenvectors as columns, of a symmetric matrix, by Jacobi's rotations. */
export function eigen(symmetric: Matrix3): { readonly values: Row; readonly vectors: Matrix3 } {
  let m = symmetric
  let vectors = IDENTITY
  // Each sweep squares what is left beside the diagonal: six are more than a double can tell.
  for (let sweep = 0; sweep < 6; sweep++)
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      if (m[i][j] === 0) continue
      const angle = Math.atan2(2 * m[i][j], m[j][j] - m[i][i]) / 2
      const turn = rotation(i, j, angle)
      m = product(product(transposed(turn), m), turn)
      vectors = product(vectors, turn)
    }
  return { values: [m[0][0], m[1][1], m[2][2]], vectors }
}

function rotation(i: 0 | 1, j: 1 | 2, angle: number): Matrix3 {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
  const entry = (row: number, column: number) => {
    if (row === i && column === j) return sine
    if (row === j && column === i) return -sine
    if (row !== column) return 0
    return row === i || row === j ? cosine : 1
  }
  const row = (index: number): Row => [entry(index, 0), entry(index, 1), entry(index, 2)]
  return [row(0), row(1), row(2)]
}
