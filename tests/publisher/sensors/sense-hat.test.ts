import { describe, expect, it, onTestFinished } from 'vitest'
import type { ChipHealth } from '../../../publisher/sensors/chips/watched-chip.ts'
import { openSenseHat, type SenseHat } from '../../../publisher/sensors/sense-hat.ts'
import { BOARD_KEYS } from '../../../publisher/sensors/sensors.ts'
import { CHIPS, type ScenarioChip } from '../../../publisher/sensors/simulated-bus/scenario-file.ts'
import type { SimulatedBoard } from '../../../publisher/sensors/simulated-bus/simulated-board.ts'
import type { SimulatedColourOptions } from '../../../publisher/sensors/simulated-bus/simulated-colour.ts'
import { silentLog } from '../../../src/log.ts'
import { LeapClock } from '../../support/leap-clock.ts'
import { settled } from '../../support/manual-clock.ts'
import { chipsOf, KEYS } from './support.ts'

const V2: SimulatedColourOptions = { part: 'TCS34725' }

async function open(prepare: (board: SimulatedBoard) => void = () => undefined) {
  const clock = new LeapClock()
  const board = chipsOf({ clock, colour: V2 })
  prepare(board)
  const hat = await openSenseHat(() => board.open(), { clock, log: silentLog(), random: () => 0.5 })
  onTestFinished(() => hat.close())
  /** One reading a second, for so many seconds; the last one. */
  const valuesAfter = async (seconds: number) => {
    let values = await hat.read().catch(() => null)
    for (let i = 0; i < seconds; i++) {
      clock.leap(1_000)
      values = await hat.read().catch(() => null)
      // What a reading has started in the background.
      await settled()
    }
    return values
  }
  return { clock, board, hat, valuesAfter }
}

/** The keys that are null. */
const missing = (values: Awaited<ReturnType<SenseHat['read']>> | null) =>
  BOARD_KEYS.v2.filter((key) => values === null || values[key] === null)
const healthOf = (hat: SenseHat, chip: ScenarioChip): ChipHealth => {
  const health = hat.health[CHIPS.indexOf(chip)]
  if (health === undefined) throw new Error(`no health of ${chip}`)
  return health
}
const addressOf = (board: SimulatedBoard, chip: ScenarioChip) => board.devices[chip]?.address ?? -1

describe('a Sense HAT that is whole', () => {
  it('measures everything from the first reading on', async () => {
    const { hat } = await open()
    const values = await hat.read()
    expect(missing(values)).toEqual([])
    expect(values.temperature).toBeCloseTo(22, 0)
    expect(values.pressure).toBeCloseTo(1000, 0)
    expect(values.accel_z).toBeCloseTo(1, 0)
    expect(values.illuminance).toBeGreaterThan(200)
    expect(hat.problems).toEqual([])
    expect(hat.health.map((chip) => chip.state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
  })

  it('tells its version by its chips', async () => {
    const { hat } = await open()
    expect([hat.board, hat.chips, hat.keys]).toEqual([
      'Sense HAT V2',
      ['HTS221', 'LPS25HB', 'LSM9DS1', 'TCS34725'],
      BOARD_KEYS.v2,
    ])
    const clock = new LeapClock()
    const first = chipsOf({ clock })
    const old = await openSenseHat(() => first.open(), { clock, log: silentLog(), random: () => 0 })
    expect([old.board, old.chips, old.keys]).toEqual(['Sense HAT', ['HTS221', 'LPS25H', 'LSM9DS1'], BOARD_KEYS.v1])
    onTestFinished(() => old.close())
    expect([old.problems, old.health.length]).toEqual([[], 4])
  })

  it('is read in six transfers', async () => {
    const { clock, hat } = await open()
    clock.leap(100)
    await hat.read()
    const before = hat.busCounters.transfers
    clock.leap(100)
    await hat.read()
    expect(hat.busCounters.transfers - before).toBe(6)
  })

  it('gives the pose filter its two chips without the others', async () => {
    const { clock, hat } = await open()
    clock.leap(60)
    await hat.inertia()
    const before = hat.busCounters.transfers
    clock.leap(60)
    const { motion, magnetic } = await hat.inertia()
    expect(hat.busCounters.transfers - before).toBe(2)
    expect(motion?.at).toBe(clock.monotonic())
    expect(magnetic?.field?.x).toBeCloseTo(20, -1)
  })

  it('asks the magnetometer only when it may have something new: 20 times a second at most', async () => {
    const { clock, hat } = await open()
    clock.leap(60)
    await hat.inertia()
    const before = hat.busCounters.transfers
    const fields = new Set<number | undefined>()
    for (let i = 0; i < 300; i++) {
      clock.leap(20)
      fields.add((await hat.inertia()).magnetic?.at)
    }
    expect(hat.busCounters.transfers - before).toBeLessThan(300 + 6 * 20 + 5)
    expect(fields.size).toBeGreaterThan(6 * 16)
  })
})

describe('no Sense HAT', () => {
  const refusal = async (prepare: (board: SimulatedBoard) => void) =>
    open(prepare).then(
      () => undefined,
      (error: unknown) => error,
    )

  it('is refused when no chip answers, with what to do', async () => {
    const nobody = (board: SimulatedBoard) => {
      for (const chip of CHIPS) board.state.dead.add(addressOf(board, chip))
    }
    expect(await refusal(nobody)).toMatchObject({
      code: 'E_NO_SENSE_HAT',
      message: 'there is no Sense HAT that can be read: the HTS221: nobody answers (0x5f)',
      hint: 'is the Sense HAT seated on all 40 pins?; --simulate publishes simulated readings',
    })
  })

  it('is refused when there is no bus, or none that may be used', async () => {
    const gone = await refusal((board) => {
      board.state.gone = true
    })
    expect(gone).toMatchObject({
      message: expect.stringContaining('the I2C bus is not there'),
      hint: expect.stringContaining('raspi-config'),
    })
  })
})

describe.each(CHIPS)('when %s', (chip) => {
  const others = BOARD_KEYS.v2.filter((key) => !KEYS[chip].includes(key))

  it('dies, only its values are null; it is counted, named, and back without a restart', async () => {
    const { board, hat, valuesAfter } = await open()
    board.state.dead.add(addressOf(board, chip))
    const values = await valuesAfter(30)
    expect(missing(values)).toEqual(KEYS[chip])
    expect(others.filter((key) => values?.[key] === null)).toEqual([])
    expect(healthOf(hat, chip)).toMatchObject({ state: 'absent' })
    const { failures } = healthOf(hat, chip)
    expect(failures).toBeGreaterThan(1)
    expect(hat.problems).toEqual([
      `the ${healthOf(hat, chip).chip}: nobody answers (0x${addressOf(board, chip).toString(16)})`,
    ])
    board.devices[chip]?.powerUp()
    board.state.dead.clear()
    expect(missing(await valuesAfter(75))).toEqual([])
    expect(hat.problems).toEqual([])
    expect(healthOf(hat, chip)).toMatchObject({ state: 'ok', problem: null })
    expect(healthOf(hat, chip).failures).toBeGreaterThanOrEqual(failures)
    expect(healthOf(hat, chip).restarts).toBeGreaterThanOrEqual(1)
  })

  it('is dead at the start, the others measure, and it joins them when it comes', async () => {
    const { board, hat, valuesAfter } = await open((one) => one.state.dead.add(addressOf(one, chip)))
    expect(missing(await valuesAfter(3))).toEqual(KEYS[chip])
    // A board whose colour sensor was never seen is taken for one that has none.
    expect(hat.problems).toHaveLength(chip === 'colour' ? 0 : 1)
    board.state.dead.clear()
    expect(missing(await valuesAfter(75))).toEqual([])
  })

  it('is claimed by a kernel driver, it is named, and read again when it is let go', async () => {
    const { board, hat, valuesAfter } = await open()
    board.state.claimed.add(addressOf(board, chip))
    expect(missing(await valuesAfter(5))).toEqual(KEYS[chip])
    expect(hat.problems).toEqual([expect.stringContaining('a kernel driver owns it')])
    // The handle on the bus is not used again: its next transfer would go to all chips.
    expect(hat.busCounters.reopens).toBeGreaterThan(0)
    board.state.claimed.clear()
    expect(missing(await valuesAfter(75))).toEqual([])
  })

  it('loses its power for a moment, it is set up again within the time of a check', async () => {
    const { board, hat, valuesAfter } = await open()
    await valuesAfter(3)
    board.devices[chip]?.powerUp()
    expect(missing(await valuesAfter(14))).toEqual([])
    expect(healthOf(hat, chip)).toMatchObject({ state: 'ok', restarts: 1 })
    expect(healthOf(hat, chip).failures).toBeGreaterThan(0)
    expect(hat.health.filter((one) => one.restarts > 0)).toHaveLength(1)
  })
})

describe.each(['humidity', 'motion', 'magnetic'] as const)('when %s freezes', (chip) => {
  it('its values become null although it answers, and come back when it lives', async () => {
    const { board, hat, valuesAfter } = await open()
    await valuesAfter(3)
    const device = board.devices[chip]
    if (device === undefined) throw new Error('no chip')
    device.frozen = true
    expect(missing(await valuesAfter(15))).toEqual(KEYS[chip])
    expect(hat.problems).toHaveLength(1)
    device.frozen = false
    expect(missing(await valuesAfter(75))).toEqual([])
    expect(hat.problems).toEqual([])
  })
})

describe('the bus', () => {
  it('that hangs gives no reading at all; when it lives again so does everything', async () => {
    const { board, hat, valuesAfter } = await open()
    board.state.hung = true
    expect(await valuesAfter(5)).toBeNull()
    expect(hat.problems).toHaveLength(5)
    expect(hat.problems[0]).toBe('the HTS221: the I2C bus hangs (0x5f)')
    board.state.hung = false
    expect(missing(await valuesAfter(75))).toEqual([])
    expect(hat.problems).toEqual([])
  })

  it('with a bad contact is tried again, and few readings miss anything', async () => {
    const { board, clock, hat } = await open()
    board.state.lost = 0.05
    let whole = 0
    for (let i = 0; i < 100; i++) {
      clock.leap(1_000)
      if (missing(await hat.read()).length === 0) whole++
      await settled()
    }
    expect(whole).toBeGreaterThan(95)
    expect(hat.busCounters.retries).toBeGreaterThan(10)
  })

  it('that fails for two chips at once is opened anew, with all chips', async () => {
    const { board, hat, valuesAfter } = await open()
    board.state.dead.add(addressOf(board, 'humidity')).add(addressOf(board, 'pressure'))
    await valuesAfter(1)
    expect(hat.busCounters.reopens).toBe(1)
    board.state.dead.clear()
    expect(missing(await valuesAfter(75))).toEqual([])
    expect(healthOf(hat, 'motion').restarts).toBeGreaterThan(0)
  })

  it('another program sets the motion sensor up in its own way, and it is taken back', async () => {
    const { board, hat, valuesAfter } = await open()
    await valuesAfter(2)
    board.devices.motion?.write(0x22, 0x80)
    expect(missing(await valuesAfter(5))).toEqual([])
    expect(healthOf(hat, 'motion')).toMatchObject({ restarts: 1, state: 'ok' })
  })
})

describe('a chip that has lost its settings', () => {
  it('is set up again by the second reading after that', async () => {
    const { board, valuesAfter } = await open()
    await valuesAfter(3)
    board.devices.motion?.powerUp()
    expect(missing(await valuesAfter(2))).toEqual([])
  })

  it('is found out within ten seconds, also when it goes on measuring: here with another range', async () => {
    const { board, hat, valuesAfter } = await open()
    await valuesAfter(2)
    board.devices.magnetic?.write(0x21, 0x60)
    expect((await valuesAfter(1))?.mag_x).toBeLessThan(10)
    expect((await valuesAfter(12))?.mag_x).toBeCloseTo(20, -1)
    expect(healthOf(hat, 'magnetic')).toMatchObject({ restarts: 1, state: 'ok' })
  })
})

describe('what is strange', () => {
  it('another chip at the address of one is not read', async () => {
    const { board, hat, valuesAfter } = await open()
    const device = board.devices.humidity
    if (device === undefined) throw new Error('no chip')
    device.write(0x0f, 0x12)
    device.powerUp = () => undefined
    board.state.dead.add(device.address)
    await valuesAfter(2)
    board.state.dead.clear()
    expect(missing(await valuesAfter(75))).toEqual(KEYS.humidity)
    expect(hat.problems).toEqual(['the HTS221 is not at 0x5f: what is there says it is 0x12'])
  })

  it('readings that end with the program leave no failure behind', async () => {
    const { hat } = await open()
    await hat.close()
    await expect(hat.read()).rejects.toMatchObject({ code: 'E_NO_SENSE_HAT' })
    expect(hat.health.map((chip) => chip.failures)).toEqual([0, 0, 0, 0, 0])
  })
})
