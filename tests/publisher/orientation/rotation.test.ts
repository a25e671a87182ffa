import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  DEGREE,
  fromDirections,
  fromEuler,
  fromTurn,
  fullCircle,
  length,
  multiply,
  type Quaternion,
  toBody,
  toEuler,
  toward,
} from '../../../publisher/sensors/rotation.ts'
import { poses, turnBetween, vectors } from './support.ts'

const size = (q: Quaternion) => Math.hypot(q.w, q.x, q.y, q.z)
const shares = fc.double({ min: 0, max: 1, noNaN: true })

it('a turn keeps the length of what it turns', () => {
  fc.assert(
    fc.property(poses, vectors(100), (pose, v) => {
      expect(length(toBody(pose, v))).toBeCloseTo(length(v), 9)
    }),
  )
})

it('a pose comes back from its angles, at every tilt', () => {
  fc.assert(
    fc.property(poses, (pose) => {
      const { roll, pitch, yaw } = toEuler(pose)
      expect(turnBetween(fromEuler(roll, pitch, yaw), pose)).toBeLessThan(0.01)
    }),
  )
  for (const pitch of [90, -90])
    for (const yaw of [0, 30, 180, 300]) {
      const pose = fromEuler(0, pitch * DEGREE, yaw * DEGREE)
      const found = toEuler(pose)
      expect(turnBetween(fromEuler(found.roll, found.pitch, found.yaw), pose)).toBeLessThan(0.01)
      expect(found.roll).toBe(0)
    }
})

it('a pose comes back from where it sees north, east and down', () => {
  fc.assert(
    fc.property(poses, (pose) => {
      const seen = [
        { x: 1, y: 0, z: 0 },
        { x: 0, y: 1, z: 0 },
        { x: 0, y: 0, z: 1 },
      ].map((direction) => toBody(pose, direction)) as [never, never, never]
      expect(turnBetween(fromDirections(...seen), pose)).toBeLessThan(1e-4)
    }),
  )
})

it('a share of the way is that share of the shortest turn', () => {
  fc.assert(
    fc.property(poses, poses, shares, (from, to, share) => {
      const whole = turnBetween(from, to)
      const reached = toward(from, to, share)
      expect(size(reached)).toBeCloseTo(1, 9)
      expect(turnBetween(from, reached)).toBeCloseTo(share * whole, 4)
      expect(turnBetween(reached, to)).toBeCloseTo((1 - share) * whole, 4)
    }),
  )
})

it('turns about one axis add up, however they are cut', () => {
  fc.assert(
    fc.property(vectors(3), fc.integer({ min: 1, max: 50 }), (turn, parts) => {
      const part = fromTurn({ x: turn.x / parts, y: turn.y / parts, z: turn.z / parts })
      let sum: Quaternion = { w: 1, x: 0, y: 0, z: 0 }
      for (let i = 0; i < parts; i++) sum = multiply(sum, part)
      expect(turnBetween(sum, fromTurn(turn))).toBeLessThan(1e-4)
    }),
  )
})

it('an angle is at least 0 and less than 360', () => {
  expect([-90, -1e-20, 0, 360, 725].map((angle) => fullCircle(angle * DEGREE))).toEqual([
    270,
    0,
    0,
    0,
    expect.closeTo(5, 9),
  ])
  expect(Object.is(fullCircle(-0), 0)).toBe(true)
})
