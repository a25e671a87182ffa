import { expect, it } from 'vitest'
import { orientation } from '../../../publisher/orientation/measured-pose.ts'
import { DEGREE, fromEuler, toBody } from '../../../publisher/sensors/rotation.ts'

const poses: [string, [number, number, number], [number, number, number], [number, number, number]][] = [
  ['flat, USB end north', [0, 0, 1], [20, 0, 40], [0, 0, 0]],
  ['flat, USB end east', [0, 0, 1], [0, -20, 40], [0, 0, 90]],
  ['flat, USB end south', [0, 0, 1], [-20, 0, 40], [0, 0, 180]],
  ['flat, USB end west', [0, 0, 1], [0, 20, 40], [0, 0, 270]],
  ['upside down', [0, 0, -1], [20, 0, -40], [180, 0, 0]],
  ['standing, HDMI edge down', [0, 1, 0], [20, 40, 0], [90, 0, 0]],
  ['standing, HDMI edge up', [0, -1, 0], [20, -40, 0], [270, 0, 0]],
  ['USB end down', [1, 0, 0], [40, 0, -20], [0, 270, 0]],
  ['USB end up', [-1, 0, 0], [-40, 0, 20], [0, 90, 0]],
  ['30, 10, 75', [-0.1736, 0.4924, 0.8529], [-1.848, 3.415, 44.552], [30.002, 10.005, 74.99]],
  ['−45, 20, 200', [-0.342, -0.6645, 0.6645], [-31.341, -17.196, 26.87], [315, 20.005, 199.997]],
  ['10, −35, 315', [0.5736, 0.1422, 0.8067], [34.528, 18.208, 21.824], [10.001, 324.995, 314.975]],
]

/** Degrees between two angles on the circle. */
const apart = (a: number, b: number) => Math.abs(((a - b + 540) % 360) - 180)
const vector = ([x, y, z]: [number, number, number]) => ({ x, y, z })

it.each(poses)('the pose "%s" reads as python-sense-hat shows it', (_name, accel, field, [roll, pitch, yaw]) => {
  const pose = orientation(vector(accel), vector(field))
  expect(apart(pose?.roll ?? Number.NaN, roll)).toBeLessThan(0.05)
  expect(apart(pose?.pitch ?? Number.NaN, pitch)).toBeLessThan(0.05)
  expect(apart(pose?.yaw ?? Number.NaN, yaw)).toBeLessThan(0.05)
})

it('every angle is at least 0 and less than 360, and minus zero is zero', () => {
  for (const [, accel, field] of poses) {
    const pose = orientation(vector(accel), vector(field))
    for (const angle of [pose?.pitch, pose?.roll, pose?.yaw]) {
      expect(angle).toBeGreaterThanOrEqual(0)
      expect(angle).toBeLessThan(360)
      expect(Object.is(angle, -0)).toBe(false)
    }
  }
})

it('the heading stays when the board is tilted', () => {
  for (const [roll, pitch] of [
    [0, 0],
    [20, 0],
    [0, -30],
    [25, 40],
  ] as const) {
    const pose = fromEuler(roll * DEGREE, pitch * DEGREE, 123 * DEGREE)
    const seen = orientation(toBody(pose, { x: 0, y: 0, z: 1 }), toBody(pose, { x: 20, y: 0, z: 44 }))
    expect(seen?.yaw).toBeCloseTo(123, 6)
  }
})

it('a field along gravity gives no heading, free fall no pose, a missing magnetometer only roll and pitch', () => {
  expect(orientation({ x: 0, y: 0, z: 1 }, { x: 0, y: 0, z: 50 })?.yaw).toBeNull()
  expect(orientation({ x: 0, y: 0, z: 0.001 }, { x: 20, y: 0, z: 40 })).toBeNull()
  expect(orientation({ x: 0, y: 0, z: 1 }, null)).toEqual({ pitch: 0, roll: 0, yaw: null })
})
