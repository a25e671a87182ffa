import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { correction, PoseFilter, predicted } from '../../../publisher/orientation/pose-filter.ts'
import { DEGREE, fromEuler, type Quaternion, toBody, toEuler, toward } from '../../../publisher/sensors/rotation.ts'
import { FIELD, NOTHING, poses, turnBetween, vectors } from './support.ts'

const IDENTITY: Quaternion = { w: 1, x: 0, y: 0, z: 0 }
const turned = (roll: number, pitch: number, yaw: number) => fromEuler(roll * DEGREE, pitch * DEGREE, yaw * DEGREE)

describe('one step of the filter', () => {
  // Time constant 0.5 s, 20 ms a step, from identity, turning at (0.1, −0.2, 0.3) rad/s, measured 30/10/75.
  it.each([
    [1, [0.99958, 0.007464, 0.00755, 0.026969], [0.8784, 0.8418, 3.0974]],
    [2, [0.998385, 0.014706, 0.014788, 0.052843], [1.773, 1.6031, 6.0843]],
    [3, [0.996507, 0.021727, 0.021726, 0.077647], [2.6774, 2.2882, 8.9643]],
    [10, [0.970432, 0.064899, 0.062739, 0.223861], [8.9003, 5.3196, 26.394]],
    [50, [0.802408, 0.180011, 0.160074, 0.545998], [27.6799, 3.458, 69.3188]],
  ])('and %d of them give the known pose', (steps, quaternion, angles) => {
    let pose = IDENTITY
    for (let i = 0; i < steps; i++)
      pose = toward(predicted(pose, { x: 0.1, y: -0.2, z: 0.3 }, 0.02), turned(30, 10, 75), correction(0.02, 0.5))
    for (const [i, part] of [pose.w, pose.x, pose.y, pose.z].entries()) expect(part).toBeCloseTo(quaternion[i] ?? 0, 6)
    const { roll, pitch, yaw } = toEuler(pose)
    for (const [i, angle] of [roll, pitch, yaw].entries()) expect(angle / DEGREE).toBeCloseTo(angles[i] ?? 0, 4)
  })

  it('without correction turns by the rate to a millionth of a degree: 90 °/s for 2 s are 180°', () => {
    let pose = IDENTITY
    for (let i = 0; i < 100; i++) pose = predicted(pose, { x: 0, y: 0, z: 90 * DEGREE }, 0.02)
    expect(Math.abs(toEuler(pose).yaw) / DEGREE).toBeCloseTo(180, 6)
  })

  it('without a turn leaves exp(−t/τ) of a difference, however long the steps are', () => {
    for (const steps of [1, 7, 50]) {
      let pose = IDENTITY
      for (let i = 0; i < steps; i++) pose = toward(pose, turned(0, 0, 80), correction(1 / steps, 0.5))
      expect(turnBetween(pose, turned(0, 0, 80))).toBeCloseTo(80 * Math.exp(-2), 6)
    }
  })
})

describe('the filter', () => {
  const measured = (pose: Quaternion) => ({
    accel: toBody(pose, { x: 0, y: 0, z: 1 }),
    field: toBody(pose, FIELD),
    seconds: 0.02,
    fieldSeconds: 0.02,
  })

  it('knows every pose from its first sample on, also upside down and on its edges', () => {
    fc.assert(
      fc.property(poses, (pose) => {
        const filter = new PoseFilter()
        filter.advance({ gyro: NOTHING, ...measured(pose), seconds: 0 })
        expect(filter.pose && turnBetween(filter.pose, pose)).toBeLessThan(1e-3)
        expect(filter.knowsHeading).toBe(true)
      }),
    )
  })

  it('stays a unit quaternion without a NaN, whatever it is told', () => {
    const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
    const input = fc.record({
      gyro: some(vectors(12)),
      accel: some(vectors(2)),
      field: some(vectors(100)),
      seconds: fc.double({ min: 0, max: 1, noNaN: true }),
      fieldSeconds: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const filter = new PoseFilter()
        for (const one of inputs) {
          filter.advance(one)
          const pose = filter.pose
          if (pose !== null) expect(Math.hypot(pose.w, pose.x, pose.y, pose.z)).toBeCloseTo(1, 9)
        }
      }),
    )
  })

  it('comes to the measured pose from any other, in four seconds', () => {
    fc.assert(
      fc.property(poses, poses, (from, to) => {
        const filter = new PoseFilter()
        for (let i = 0; i < 5; i++) filter.advance({ gyro: NOTHING, ...measured(from) })
        for (let i = 0; i < 200; i++) filter.advance({ gyro: NOTHING, ...measured(to) })
        // Exactly opposite poses have no shortest way; a hair off they have.
        fc.pre(turnBetween(from, to) < 179.9)
        expect(filter.pose && turnBetween(filter.pose, to)).toBeLessThan(0.1)
      }),
    )
  })

  it('by gravity alone comes to the measured tilt, and leaves the heading where it was', () => {
    const tilts = fc.double({ min: -60, max: 60, noNaN: true })
    fc.assert(
      fc.property(tilts, tilts, fc.double({ min: -180, max: 180, noNaN: true }), (roll, pitch, yaw) => {
        for (const pose of [turned(roll, 0, yaw), turned(0, pitch, yaw)]) {
          const filter = new PoseFilter()
          for (let i = 0; i < 5; i++) filter.advance({ gyro: NOTHING, ...measured(turned(0, 0, yaw)) })
          for (let i = 0; i < 200; i++) filter.advance({ gyro: NOTHING, ...measured(pose), field: null })
          expect(filter.pose && turnBetween(filter.pose, pose)).toBeLessThan(0.1)
        }
      }),
    )
  })

  it('by gravity alone finds its way also when it is turned over at once', () => {
    for (const pose of [turned(0, 0, 40), turned(0, 90, 0), turned(90, 0, 0)]) {
      const filter = new PoseFilter()
      for (let i = 0; i < 5; i++) filter.advance({ gyro: NOTHING, ...measured(pose) })
      const { x, y, z } = toBody(pose, { x: 0, y: 0, z: 1 })
      const over = { accel: { x: -x, y: -y, z: -z }, field: null, gyro: NOTHING, seconds: 0.02, fieldSeconds: 0 }
      for (let i = 0; i < 300; i++) filter.advance(over)
      const down = filter.pose && toBody(filter.pose, { x: 0, y: 0, z: 1 })
      expect(down && down.x * x + down.y * y + down.z * z).toBeLessThan(-0.999)
    }
  })
})
