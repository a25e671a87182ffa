import { minus, type Vector } from '../sensors/rotation.ts'
import { determinant, type Matrix3, product, scaledMatrix, times, transposed } from './matrix3.ts'

/** What a sensor of three axes shows made true: `matrix` times what is left without `offset`. */
export interface Affine {
  readonly offset: Vector
  readonly matrix: Matrix3
}

export function corrected({ offset, matrix }: Affine, v: Vector): Vector {
  return times(matrix, minus(v, offset))
}

/** Scaled so that volumes stay: stretched axes become alike, and the mean length what the sensor said. */
export function keepingVolume(affine: Affine): Affine {
  return { ...affine, matrix: scaledMatrix(affine.matrix, Math.cbrt(1 / Math.abs(determinant(affine.matrix)))) }
}

/** The same correction before the axes are turned by `turn`, of one that is meant for after it. */
export function beforeTurn(turn: Matrix3, { offset, matrix }: Affine): Affine {
  const back = transposed(turn)
  return { offset: times(back, offset), matrix: product(product(back, matrix), turn) }
}
