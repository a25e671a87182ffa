import { isDeepStrictEqual } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { SensorKey } from '../../publisher/sensors/sensors.ts'
import { SimulatedBus } from '../../publisher/sensors/simulated-bus/simulated-bus.ts'
import { SimulatedAttiny } from '../publisher/matrix/drivers/simulated-attiny.ts'
import { chipsOf, NO_CHANCE, ROOM } from '../publisher/sensors/support.ts'
import type { CleanUp } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { serveAdapter } from './adapter.ts'
import { type Answer, compileShim, describeWithAddon, startProgram } from './program.ts'
import { quickClock } from './quick-clock.ts'

const HUMIDITY = 0x5f
const CALIBRATION = 0xb0

describeWithAddon('over the compiled i2c-bus', () => {
  let library = ''
  beforeAll(() => {
    const closings: (() => void | Promise<void>)[] = []
    library = compileShim((close) => closings.push(close))
    return async () => {
      for (const close of closings) await close()
    }
  })

  /** A board in a room, and the program that reads it. */
  async function start(...argv: string[]) {
    const board = chipsOf({ clock: quickClock(), colour: { part: 'TCS34725' } })
    const attiny = new SimulatedAttiny()
    const bus = new SimulatedBus([...Object.values(board.devices), attiny], board.state, NO_CHANCE)
    const cleanUp: CleanUp = onTestFinished
    const adapter = await serveAdapter(bus, cleanUp)
    const run = () => startProgram(library, adapter, ...argv)
    return { state: board.state, attiny, bus, adapter, run }
  }

  const missing = ({ values }: Answer) =>
    values === null || values === undefined
      ? 'everything'
      : (Object.keys(values) as SensorKey[]).filter((key) => values[key] === null)

  type Order = Awaited<ReturnType<Awaited<ReturnType<typeof start>>['run']>>['order']

  /** A look that lacks just these: on a busy machine a transfer may once take longer than the bus is given. */
  const read = (order: Order, lacking: readonly SensorKey[] = []) =>
    eventually(lacking.length === 0 ? 'all is read' : `all but ${lacking} is read`, async () => {
      const answer = await order({ read: true })
      return isDeepStrictEqual(missing(answer), lacking) && answer
    })

  describe('a board', () => {
    it('is read as it truly is', async () => {
      const { run, adapter } = await start()
      const { first, order } = await run()
      expect(first.board).toBe('Sense HAT V2')
      const { problems, values } = await read(order)
      expect(problems).toEqual([])
      // Within what the chips themselves err by.
      expect(Math.abs((values?.temperature ?? 0) - ROOM.temperature)).toBeLessThan(1)
      expect(Math.abs((values?.humidity ?? 0) - ROOM.humidity)).toBeLessThan(6)
      expect(Math.abs((values?.pressure ?? 0) - ROOM.pressure)).toBeLessThan(1.5)
      expect(Math.abs((values?.accel_z ?? 0) - ROOM.inertia.accel.z)).toBeLessThan(0.15)
      expect(Math.abs((values?.mag_x ?? 0) - ROOM.inertia.field.x)).toBeLessThan(2)
      expect(Math.abs((values?.illuminance ?? 0) - ROOM.light.illuminance)).toBeLessThan(60)
      expect(adapter.generalCalls).toBe(0)
    })

    it('gives blocks of every length byte by byte', async () => {
      const { run, bus } = await start()
      const { order } = await run()
      for (const length of [1, 2, 6, 16, 31, 32]) {
        const truly = Buffer.alloc(length)
        await bus.readBlock(HUMIDITY, CALIBRATION, truly)
        // Behind the calibration come registers that change.
        const asked = await order({ block: { address: HUMIDITY, register: CALIBRATION, length } })
        expect(asked.bytes?.slice(0, 32)).toBe(truly.toString('hex').slice(0, 32))
        expect(asked.bytes).toHaveLength(2 * length)
      }
    })

    it('takes a frame of all its LEDs in one transfer', async () => {
      const { run, attiny } = await start()
      const { order } = await run()
      expect(await order({ light: { r: 255, g: 128, b: 0 } })).toEqual({})
      expect([attiny.at(0, 0), attiny.at(7, 7), attiny.strayed]).toEqual([[31, 8, 0], [31, 8, 0], 0])
    })
  })

  describe('without a start of the program', () => {
    it('a chip that a kernel driver has is null, and nothing goes to all chips because of it; given back it is read', async () => {
      const { run, adapter } = await start()
      adapter.claimed.add(HUMIDITY)
      const { order } = await run()
      const answer = await read(order, ['temperature', 'humidity'])
      expect(answer.problems).toEqual(['the HTS221: a kernel driver owns it (0x5f)'])
      expect(answer.counters?.reopens).toBeGreaterThan(0)
      adapter.claimed.clear()
      await read(order)
      expect(adapter.generalCalls).toBe(0)
    })

    it('a chip that dies is null, and comes back', async () => {
      const { run, state } = await start()
      const { order } = await run()
      state.dead.add(HUMIDITY)
      const answer = await read(order, ['temperature', 'humidity'])
      expect(answer.problems).toEqual(['the HTS221: nobody answers (0x5f)'])
      expect(answer.counters?.retries).toBeGreaterThanOrEqual(3)
      state.dead.clear()
      await read(order)
    })

    it('a bus that vanishes and comes back is opened anew, and leaves no file open', async () => {
      const { run, state, adapter } = await start()
      const { order } = await run()
      state.gone = true
      adapter.state = 'missing'
      const answer = await order({ read: true })
      expect(missing(answer)).toBe('everything')
      expect(answer.problems?.[0]).toMatch(/the I2C bus is not there/)
      await eventually('nothing is open', () => adapter.openFiles === 0)
      state.gone = false
      adapter.state = 'open'
      await read(order)
    })

    it('a transfer that takes too long is given up, and the next ones wait until it is over', async () => {
      const { run, adapter } = await start()
      const { order } = await run()
      adapter.delayMs = 1_000
      const answer = await order({ read: true })
      expect(missing(answer)).toBe('everything')
      expect(answer.problems?.[0]).toMatch(/the I2C bus hangs/)
      adapter.delayMs = 0
      await read(order)
      expect(adapter.generalCalls).toBe(0)
    })
  })

  describe('a start', () => {
    it('of a user who may not use the bus says which group may', async () => {
      const { run, adapter } = await start()
      adapter.state = 'forbidden'
      const { first } = await run()
      expect(first.failed).toContain('this user may not use the I2C bus')
      expect(first.hint).toContain('sudo usermod -aG i2c USER')
    })

    it('without a bus says how to get one', async () => {
      const { run, adapter } = await start()
      adapter.state = 'missing'
      const { first } = await run()
      expect(first.failed).toContain('the I2C bus is not there')
      expect(first.hint).toContain('dtparam=i2c_arm=on')
    })

    it('that is told to read beside kernel drivers does', async () => {
      const { run, adapter } = await start('force')
      adapter.claimed.add(HUMIDITY)
      const { order } = await run()
      await read(order)
    })
  })
})
