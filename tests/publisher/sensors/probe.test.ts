import { describe, expect, it } from 'vitest'
import { SharedBus } from '../../../publisher/sensors/bus/shared-bus.ts'
import { probe } from '../../../publisher/sensors/probe.ts'
import type { SimulatedBoard } from '../../../publisher/sensors/simulated-bus/simulated-board.ts'
import type { SimulatedColourOptions } from '../../../publisher/sensors/simulated-bus/simulated-colour.ts'
import { LeapClock } from '../../support/leap-clock.ts'
import { chipsOf } from './support.ts'

async function probed(prepare: (board: SimulatedBoard) => void = () => undefined, colour?: SimulatedColourOptions) {
  const clock = new LeapClock()
  const board = chipsOf({ clock, ...(colour && { colour }) })
  prepare(board)
  const report = await probe(new SharedBus(() => board.open(), clock), '/nowhere')
  return { ...report, rows: report.probed.map(({ address, chip, verdict }) => [address, chip, verdict]) }
}

describe('the probe', () => {
  it('finds the chips of the first board', async () => {
    const { board, rows, probed: all } = await probed()
    expect(board).toBe('Sense HAT')
    expect(rows).toEqual([
      ['0x5f', 'HTS221', 'found'],
      ['0x5c', 'LPS25H', 'found'],
      ['0x6a', 'LSM9DS1', 'found'],
      ['0x1c', 'LSM9DS1 magnetometer', 'found'],
      ['0x29', 'TCS34725 or TCS3400', 'silent'],
      ['0x46', 'ATtiny88', 'silent'],
    ])
    expect(all.map(({ identity }) => identity)).toEqual(['0xbc', '0xbd', '0x68', '0x3d', null, null])
  })

  it.each([
    ['TCS34725', '0x29'],
    ['TCS3400', '0x39'],
  ] as const)('knows the second board by its %s', async (part, address) => {
    const { board, rows } = await probed(undefined, { part })
    expect(board).toBe('Sense HAT V2')
    expect(rows[4]).toEqual([address, part, 'found'])
  })

  it('tells a chip a kernel driver has from one that is not there, and one of another kind', async () => {
    const { board, probed: all } = await probed((one) => {
      one.state.claimed.add(0x5f).add(0x46)
      one.state.dead.add(0x5c)
      one.devices.magnetic?.write(0x0f, 0x49)
    })
    expect(board).toBe('Sense HAT')
    expect(all).toMatchObject([
      { verdict: 'claimed', hint: expect.stringContaining('i2c_force') },
      { verdict: 'silent', hint: expect.stringContaining('seated') },
      { verdict: 'found', hint: null },
      { verdict: 'strange', identity: '0x49' },
      { verdict: 'silent', hint: 'only the second board has it' },
      { verdict: 'claimed', hint: 'as it should be: the kernel drives it' },
    ])
  })

  it('does not take one chip for a board', async () => {
    const { board } = await probed((one) => one.state.dead.add(0x5f).add(0x5c))
    expect(board).toBeNull()
  })

  it('leaves the chips as they are', async () => {
    const { devices } = chipsOf()
    const writes: number[] = []
    await probed((one) => {
      for (const device of Object.values(one.devices)) device.write = (register) => writes.push(register)
    })
    expect([Object.keys(devices).length, writes]).toEqual([4, []])
  })

  it('says what is wrong with the bus when that is it', async () => {
    const gone = probed((one) => {
      one.state.gone = true
    })
    await expect(gone).rejects.toMatchObject({ kind: 'gone', sentence: 'the I2C bus is not there' })
  })
})
