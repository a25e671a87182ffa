import { cross, type Vector } from '../sensors/rotation.ts'
import type { Matrix3 } from './matrix3.ts'

const NORTH: Vector = { x: 1, y: 0, z: 0 }
const EAST: Vector = { x: 0, y: 1, z: 0 }
const SOUTH: Vector = { x: -1, y: 0, z: 0 }
const WEST: Vector = { x: 0, y: -1, z: 0 }
const UP: Vector = { x: 0, y: 0, z: -1 }
const BELOW: Vector = { x: 0, y: 0, z: 1 }
const ROUND = [NORTH, EAST, SOUTH, WEST] as const

/** How many ways of mounting RTIMULib knows. */
export const MOUNTINGS = 24

/**
 * The matrix of one of RTIMULib's codes for `AxisRotation` [observed in its header and in `RTIMU.cpp`]. A code says where the chip's x and
 * y point when the board is in its usual place: 0 to 3 x in turn north, east, south, west, and y to the right of it; 4 to 7 y to
 * the left; 8 to 11 x up, 12 to 15 x down, and y in turn; 16 to 19 y up, 20 to 23 y down, and x in turn.
 */
export function mountingOf(code: number): Matrix3 {
  const turn = code % 4
  const along = ROUND[turn] ?? NORTH
  const right = ROUND[(turn + 1) % 4] ?? EAST
  const left = ROUND[(turn + 3) % 4] ?? WEST
  const [x, y] =
    [
      [along, right],
      [along, left],
      [UP, along],
      [BELOW, along],
      [along, UP],
      [along, BELOW],
    ][Math.floor(code / 4)] ?? []
  if (x === undefined || y === undefined || !Number.isInteger(code)) throw new RangeError(`no mounting ${code}`)
  const z = cross(x, y)
  return [
    [x.x, y.x, z.x],
    [x.y, y.y, z.y],
    [x.z, y.z, z.z],
  ]
}
