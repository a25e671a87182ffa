import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orientation } from '../../../publisher/orientation/measured-pose.ts'
import {
  atLimit,
  decodeAcceleration,
  decodeField,
  decodeTurn,
} from '../../../publisher/sensors/chips/lsm9ds1-decode.ts'
import { Lsm9ds1Magnetic } from '../../../publisher/sensors/chips/lsm9ds1-magnetic.ts'
import { Lsm9ds1Motion } from '../../../publisher/sensors/chips/lsm9ds1-motion.ts'
import { DEGREE, type Vector } from '../../../publisher/sensors/rotation.ts'
import { SimulatedLsm9ds1Magnetic } from '../../../publisher/sensors/simulated-bus/simulated-lsm9ds1-magnetic.ts'
import { SimulatedLsm9ds1Motion } from '../../../publisher/sensors/simulated-bus/simulated-lsm9ds1-motion.ts'
import { driven, ROOM } from './support.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')
const close = (v: Vector, [x, y, z]: readonly [number, number, number], digits: number) => {
  expect(v.x).toBeCloseTo(x, digits)
  expect(v.y).toBeCloseTo(y, digits)
  expect(v.z).toBeCloseTo(z, digits)
}

describe('the bytes of an LSM9DS1', () => {
  it('are g, rad/s and µT in the axes of python-sense-hat', () => {
    close(decodeTurn(bytes('3905C7FA0080'), 0), [0.40836341, -0.40836341, 10.00841606], 8)
    close(decodeAcceleration(bytes('0210FEEF0000'), 0), [-0.999912, 0.999912, 0], 9)
    close(decodeField(bytes('95056BFAD7F4'), 0), [-20.006, -20.006, 39.998], 9)
  })

  const poses: [string, string, string, [number, number, number]][] = [
    ['flat, USB end north', '000000000210', '6BFA0000D7F4', [0, 0, 0]],
    ['flat, USB end east', '000000000210', '00006BFAD7F4', [0, 0, 90]],
    ['flat, USB end south', '000000000210', '95050000D7F4', [0, 0, 180]],
    ['flat, USB end west', '000000000210', '00009505D7F4', [0, 0, 270]],
    ['upside down', '00000000FEEF', '6BFA0000290B', [180, 0, 0]],
    ['standing, HDMI edge down', '0000FEEF0000', '6BFA290B0000', [90, 0, 0]],
    ['standing, HDMI edge up', '000002100000', '6BFAD7F40000', [270, 0, 0]],
    ['USB end down', 'FEEF00000000', 'D7F400009505', [0, 270, 0]],
    ['USB end up', '021000000000', '290B00006BFA', [0, 90, 0]],
    ['30, 10, 75', 'C8021EF8A70D', '8400F40092F3', [30.002, 10.005, 74.99]],
    ['−45, 20, 200', '7A05A30AA30A', 'BF0834FB81F8', [315, 20.005, 199.997]],
    ['10, −35, 315', 'D1F6B9FDEA0C', '5EF61505E9F9', [10.001, 324.995, 314.975]],
  ]
  it.each(poses)('of the pose "%s" are that pose', (_name, accel, field, expected) => {
    const pose = orientation(decodeAcceleration(bytes(accel), 0), decodeField(bytes(field), 0))
    const angles = [pose?.roll, pose?.pitch, pose?.yaw]
    // The vectors are given to a thousandth of a degree.
    for (const [i, angle] of angles.entries())
      expect(Math.abs((((angle ?? Number.NaN) - (expected[i] ?? 0) + 540) % 360) - 180)).toBeLessThanOrEqual(0.0005)
  })

  it('at either end of the scale are no measurement', () => {
    expect(atLimit(bytes('0000FF7F0000'), 0)).toBe(true)
    expect(atLimit(bytes('000000000080'), 0)).toBe(true)
    expect(atLimit(bytes('FE7F01800000'), 0)).toBe(false)
  })
})

const within = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true })
/** Nothing but zeros is what a chip without power says. */
const vectors = (limit: number) =>
  fc
    .record({ x: within(limit), y: within(limit), z: within(limit) })
    .filter(({ x, y, z }) => Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) > limit / 1000)
const apart = (a: Vector | null, b: Vector) =>
  a === null ? Number.NaN : Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y), Math.abs(a.z - b.z))

describe('the motion half that is read', () => {
  const chip = () =>
    driven(
      (truth, chance, now) => new SimulatedLsm9ds1Motion(truth, chance, now),
      (deps) => new Lsm9ds1Motion(deps),
    )

  it('gives every acceleration and rate of turn within a count', async () => {
    const { chip: driver, tell } = await chip()
    await fc.assert(
      fc.asyncProperty(vectors(7.99), vectors(573 * DEGREE), async (accel, gyro) => {
        tell({ inertia: { ...ROOM.inertia, accel, gyro } })
        const sample = await driver.sample()
        expect(apart(sample.accel, accel)).toBeLessThan(0.000244)
        expect(apart(sample.gyro, gyro)).toBeLessThan(0.0175 * DEGREE)
      }),
    )
  })

  it('gives no acceleration where it is beyond the scale, and still the turn', async () => {
    const { chip: driver, tell } = await chip()
    tell({ inertia: { ...ROOM.inertia, accel: { x: 0, y: 9, z: 1 }, gyro: { x: 1, y: 0, z: 0 } } })
    expect(await driver.sample()).toMatchObject({ accel: null, gyro: { x: expect.closeTo(1, 3) } })
  })

  it('is taken for frozen when it says the same ten times, but not when it is only asked often', async () => {
    const { chip: driver, clock } = await chip()
    for (let i = 0; i < 50; i++) await driver.sample()
    for (let i = 0; i < 8; i++) {
      clock.leap(20)
      await driver.sample()
    }
    clock.leap(20)
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'frozen' })
  })

  it('notices at once that another program lets blocks repeat one register', async () => {
    const { chip: driver, device, tell } = await chip()
    tell({ inertia: { ...ROOM.inertia, gyro: { x: 1, y: 2, z: 3 } } })
    device.write(0x22, 0x80)
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'reset' })
    await expect(driver.verify()).rejects.toMatchObject({ kind: 'reset' })
  })
})

describe('the magnetic half that is read', () => {
  const chip = () =>
    driven(
      (truth, chance, now) => new SimulatedLsm9ds1Magnetic(truth, chance, now, { hardIron: false }),
      (deps) => new Lsm9ds1Magnetic(deps),
    )

  it('gives every field within a count', async () => {
    const { chip: driver, tell } = await chip()
    await fc.assert(
      fc.asyncProperty(vectors(458), async (field) => {
        tell({ inertia: { ...ROOM.inertia, field } })
        expect(apart((await driver.sample()).field, field)).toBeLessThan(0.014)
      }),
    )
  })

  it('between two measurements gives the last one with its time, and not for longer than two seconds', async () => {
    const { chip: driver, device, clock, tell } = await chip()
    tell({})
    const first = await driver.sample()
    clock.leap(20)
    expect(await driver.sample()).toBe(first)
    device.frozen = true
    clock.leap(2_100)
    await expect(driver.sample()).rejects.toMatchObject({ kind: 'frozen' })
  })

  it('sees when its settings are gone', async () => {
    const { chip: driver, device } = await chip()
    await driver.verify()
    device.powerUp()
    await expect(driver.verify()).rejects.toMatchObject({ kind: 'reset' })
  })
})
