import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SimulatedDevice } from '../../../../publisher/sensors/simulated-bus/device.ts'
import { SimulatedHts221 } from '../../../../publisher/sensors/simulated-bus/simulated-hts221.ts'
import { SimulatedLps25h } from '../../../../publisher/sensors/simulated-bus/simulated-lps25h.ts'
import { SimulatedLsm9ds1Magnetic } from '../../../../publisher/sensors/simulated-bus/simulated-lsm9ds1-magnetic.ts'
import { SimulatedLsm9ds1Motion } from '../../../../publisher/sensors/simulated-bus/simulated-lsm9ds1-motion.ts'
import { NO_CHANCE, ROOM } from '../support.ts'

it('the simulated chips are made from the data sheets alone: they know nothing of the drivers they test', () => {
  const directory = fileURLToPath(new URL('../../../../publisher/sensors/simulated-bus', import.meta.url))
  const sources = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')] as const)
  expect(sources.length).toBeGreaterThan(5)
  expect(sources.filter(([, source]) => source.includes('/chips/')).map(([name]) => name)).toEqual([])
})

/* What a driver could get wrong must go wrong here as well: the chips behave as the data sheets say. */

let now = 0
const clock = () => now
const read = (chip: SimulatedDevice, command: number, length: number) => {
  const into = Buffer.alloc(length)
  chip.read(command, into)
  return [...into]
}
const byte = (chip: SimulatedDevice, register: number) => read(chip, register, 1)[0]

describe('the HTS221', () => {
  const chip = (truth = () => ROOM) => new SimulatedHts221(truth, NO_CHANCE, clock)

  it('steps through a block only with the highest bit of the sub-address', () => {
    const one = chip()
    expect(read(one, 0x30, 4)).toEqual([0x42, 0x42, 0x42, 0x42])
    expect(read(one, 0xb0, 4)).toEqual([0x42, 0x92, 0x9c, 0x16])
  })

  it('measures nothing at rest, then at its rate; data is new until its high byte was read', () => {
    const one = chip()
    now += 5_000
    expect([byte(one, 0x27), byte(one, 0x29)]).toEqual([0, 0])
    one.write(0x20, 0x87)
    now += 79
    expect(byte(one, 0x27)).toBe(0)
    now += 2
    expect(byte(one, 0x27)).toBe(3)
    byte(one, 0x28)
    expect(byte(one, 0x27)).toBe(3)
    byte(one, 0x29)
    expect(byte(one, 0x27)).toBe(1)
    byte(one, 0x2b)
    expect(byte(one, 0x27)).toBe(0)
  })

  it('with block data update keeps a value whole between its two bytes, and without does not', () => {
    const halves = (control: number) => {
      let truth = { ...ROOM, humidity: 20 }
      const one = chip(() => truth)
      one.write(0x20, control)
      now += 100
      byte(one, 0x28)
      truth = { ...ROOM, humidity: 90 }
      now += 100
      return byte(one, 0x29)
    }
    expect(halves(0x87)).not.toBe(halves(0x83))
  })

  it('measures once when asked, and reboots by itself', () => {
    const one = chip()
    one.write(0x20, 0x84)
    one.write(0x21, 0x01)
    expect([byte(one, 0x21), byte(one, 0x27)]).toEqual([0, 3])
    one.write(0x21, 0x80)
    expect(byte(one, 0x21)).toBe(0x80)
    now += 5
    expect(byte(one, 0x21)).toBe(0)
  })

  it('takes a write to its calibration for the bug it is', () => {
    expect(() => chip().write(0x30, 0)).toThrow('would destroy a real one')
  })
})

describe('the LPS25H', () => {
  const chip = () => new SimulatedLps25h(() => ROOM, NO_CHANCE, clock)

  it('holds 760 hPa from power-up to the first measurement', () => {
    expect(read(chip(), 0xa8, 3)).toEqual([0x00, 0x80, 0x2f])
  })

  it('turns back before the temperature in its FIFO modes', () => {
    const one = chip()
    expect(read(one, 0xa8, 5).slice(3)).not.toEqual([0x00, 0x80])
    one.write(0x2e, 0xdf)
    one.write(0x21, 0x40)
    expect(read(one, 0xa8, 5)).toEqual([0x00, 0x80, 0x2f, 0x00, 0x80])
  })

  it('resets by itself, and its I2C may not be switched off', () => {
    const one = chip()
    one.write(0x20, 0xc4)
    one.write(0x21, 0x84)
    expect([byte(one, 0x20), byte(one, 0x21)]).toEqual([0xc4, 0x84])
    now += 5
    expect([byte(one, 0x20), byte(one, 0x21)]).toEqual([0, 0])
    expect(() => one.write(0x21, 0x08)).toThrow('switches the I2C')
  })
})

describe('the LSM9DS1', () => {
  const motion = () => new SimulatedLsm9ds1Motion(() => ROOM, NO_CHANCE, clock)
  const running = () => {
    const one = motion()
    one.write(0x10, 0x69)
    one.write(0x20, 0x7f)
    now += 500
    return one
  }

  it('steps by its control register, whatever the sub-address says', () => {
    const one = running()
    expect(read(one, 0x20, 3)).toEqual([0x7f, 0x00, 0x04])
    expect(read(one, 0xa0, 3)).toEqual([0x7f, 0x00, 0x04])
    one.write(0x22, 0x80)
    expect(read(one, 0x20, 3)).toEqual([0x7f, 0x7f, 0x7f])
  })

  it('goes from the gyroscope to the accelerometer and around while both measure', () => {
    const one = running()
    const around = read(one, 0x18, 18)
    expect(around.slice(6, 12)).toEqual([0, 0, 0, 0, 0x02, 0x10])
    expect(around.slice(12)).toEqual(around.slice(0, 6))
    one.write(0x10, 0)
    now += 100
    const alone = read(one, 0x28, 12)
    expect(alone.slice(6)).toEqual(alone.slice(0, 6))
    expect(read(one, 0x18, 6)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('gives what is not true yet right after it was switched on', () => {
    const one = motion()
    one.write(0x10, 0x69)
    now += 9
    const early = read(one, 0x18, 12)
    now += 100
    expect(read(one, 0x18, 12)).not.toEqual(early)
  })

  it('counts by its range, and stops at the end of it', () => {
    const one = running()
    one.write(0x20, 0x67)
    now += 100
    expect(read(one, 0x2c, 2)).toEqual([0x09, 0x40])
    const heavy = new SimulatedLsm9ds1Motion(
      () => ({ ...ROOM, inertia: { ...ROOM.inertia, accel: { x: 0, y: 0, z: 99 } } }),
      NO_CHANCE,
      clock,
    )
    heavy.write(0x10, 0x69)
    now += 100
    expect(read(heavy, 0x2c, 2)).toEqual([0xff, 0x7f])
  })

  it('has a magnetic half that rests after power-up and steps by the sub-address', () => {
    const one = new SimulatedLsm9ds1Magnetic(() => ROOM, NO_CHANCE, clock, { hardIron: false })
    now += 1_000
    expect(read(one, 0xa7, 7)).toEqual([0, 0, 0, 0, 0, 0, 0])
    one.write(0x22, 0)
    now += 2_000
    expect(read(one, 0xa7, 7)).toEqual([0x0f, 0x6b, 0xfa, 0, 0, 0xd7, 0xf4])
    expect(new Set(read(one, 0x28, 6)).size).toBe(1)
  })
})
