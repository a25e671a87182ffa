import { describe, expect, it, onTestFinished } from 'vitest'
import type { I2cBus } from '../../../publisher/sensors/bus/bus.ts'
import { openSenseHat } from '../../../publisher/sensors/sense-hat.ts'
import { BOARD_KEYS } from '../../../publisher/sensors/sensors.ts'
import { CHIPS, type ScenarioChip } from '../../../publisher/sensors/simulated-bus/scenario-file.ts'
import { silentLog } from '../../../src/log.ts'
import { LeapClock } from '../../support/leap-clock.ts'
import { settled } from '../../support/manual-clock.ts'
import { chipsOf, KEYS, ROOM } from './support.ts'

/* Every chip in every way a chip on a real bus can fail, beside what `sense-hat.test.ts` lets a simulated board do. */

/** What is done to each transfer of one chip: a Linux errno it rejects with, or a byte that all of its registers hold. */
type Way = { readonly errno: number } | { readonly byte: number }

const WAYS: [what: string, way: Way, problem: RegExp][] = [
  ['is not acknowledged', { errno: 121 }, /nobody answers/],
  ['is not acknowledged, as a Pi 5 says it', { errno: 6 }, /nobody answers/],
  ['stretches the clock for too long', { errno: 5 }, /garbled/],
  ['loses the bus to another master', { errno: 11 }, /another master/],
  ['holds the line until the transfer times out', { errno: 110 }, /the I2C bus hangs/],
  ['is owned by a kernel driver', { errno: 16 }, /a kernel driver owns it/],
  ['was on a bus that went away', { errno: 19 }, /the I2C bus is not there/],
  ['fails in a way nobody knows', { errno: 99 }, /errno 99/],
  ['says nothing but zeros', { byte: 0x00 }, /what is there says it is 0x00/],
  ['says nothing but ones', { byte: 0xff }, /what is there says it is 0xff/],
]

/** A board with a colour sensor behind a bus that fails at one address in the way that is set. */
async function open(chip: ScenarioChip) {
  const clock = new LeapClock()
  const board = chipsOf({ clock, colour: { part: 'TCS34725' } })
  const failing = { way: undefined as Way | undefined, times: Number.POSITIVE_INFINITY }
  const spoilt = (bus: I2cBus): I2cBus => {
    const at = board.devices[chip]?.address
    const act = async (address: number, into: Buffer | undefined, truly: () => Promise<unknown>) => {
      const { way } = failing
      if (address !== at || way === undefined || failing.times-- <= 0) await truly()
      else if ('errno' in way) throw Object.assign(new Error(`errno ${way.errno}`), { errno: way.errno })
      else into?.fill(way.byte)
    }
    return {
      readByte: async (address, register) => {
        const into = Buffer.alloc(1)
        await act(address, into, async () => {
          into[0] = await bus.readByte(address, register)
        })
        return into.readUInt8(0)
      },
      writeByte: (address, register, value) => act(address, undefined, () => bus.writeByte(address, register, value)),
      readBlock: (address, register, into) => act(address, into, () => bus.readBlock(address, register, into)),
      write: (address, bytes) => act(address, undefined, () => bus.write(address, bytes)),
      close: () => bus.close(),
    }
  }
  const hat = await openSenseHat(async () => spoilt(await board.open()), { clock, log: silentLog(), random: () => 0.5 })
  onTestFinished(() => hat.close())
  const missingAfter = async (seconds: number) => {
    let values = await hat.read()
    for (let i = 0; i < seconds; i++) {
      clock.leap(1_000)
      values = await hat.read()
      await settled()
    }
    return BOARD_KEYS.v2.filter((key) => values[key] === null)
  }
  const health = () => hat.health.filter((_, index) => CHIPS[index] === chip)[0]
  const others = () => hat.health.filter((_, index) => CHIPS[index] !== chip)
  return { hat, failing, missingAfter, health, others }
}

describe.each(CHIPS)('when %s', (chip) => {
  it.each(WAYS)(
    '%s, its values alone are null; it is counted and named, and back without a restart',
    async (_, way, problem) => {
      const { hat, failing, missingAfter, health, others } = await open(chip)
      expect(await missingAfter(3)).toEqual([])
      failing.way = way
      expect(await missingAfter(6)).toEqual(KEYS[chip])
      expect(health()?.failures).toBeGreaterThan(0)
      expect(hat.problems).toEqual([expect.stringMatching(problem)])
      expect(others().map(({ state, restarts }) => [state, restarts])).toEqual(others().map(() => ['ok', 0]))
      failing.way = undefined
      expect(await missingAfter(75)).toEqual([])
      expect(hat.problems).toEqual([])
      expect(health()).toMatchObject({ state: 'ok', problem: null })
      expect(others().every(({ failures }) => failures === 0)).toBe(true)
    },
  )

  it.each([121, 6, 5, 11])('fails once with errno %d, nobody notices: it is tried again', async (errno) => {
    const { hat, failing, missingAfter, health } = await open(chip)
    await missingAfter(1)
    const before = hat.busCounters.retries
    failing.times = 1
    failing.way = { errno }
    expect(await missingAfter(2)).toEqual([])
    expect(health()?.failures).toBe(0)
    expect(hat.busCounters.retries).toBe(before + 1)
  })
})

it('a humidity beyond what can be is limited and told, and takes nothing else with it', async () => {
  const clock = new LeapClock()
  let humidity = 45
  const board = chipsOf({ clock, truth: () => ({ ...ROOM, humidity }) })
  const hat = await openSenseHat(() => board.open(), { clock, log: silentLog(), random: () => 0.5 })
  onTestFinished(() => hat.close())
  const read = async (truly: number) => {
    humidity = truly
    clock.leap(1_000)
    return hat.read()
  }
  expect(await read(115)).toMatchObject({ humidity: 100, temperature: expect.closeTo(22, 0) })
  expect(hat.problems).toEqual([expect.stringContaining('the HTS221 measures a humidity outside of 0 to 100 %')])
  expect(hat.health[0]).toMatchObject({ state: 'ok', failures: 0 })
  await read(50)
  expect(hat.problems).toEqual([])
})
