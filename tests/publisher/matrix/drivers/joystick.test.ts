import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AttinyStick } from '../../../../publisher/matrix/drivers/attiny-stick.ts'
import { EvdevStick, NONBLOCKING } from '../../../../publisher/matrix/drivers/evdev-stick.ts'
import type { EventBytes } from '../../../../publisher/matrix/drivers/input-event.ts'
import { PolledJoystick, type StickSource } from '../../../../publisher/matrix/drivers/polled-joystick.ts'
import { SharedBus } from '../../../../publisher/sensors/bus/shared-bus.ts'
import { BusState, SimulatedBus } from '../../../../publisher/sensors/simulated-bus/simulated-bus.ts'
import { silentLog } from '../../../../src/log.ts'
import { temporaryDirectory } from '../../../support/directory.ts'
import { eventually, patient } from '../../../support/eventually.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { NO_CHANCE } from '../../sensors/support.ts'
import { inputDevice, inputEvent } from './kernel-devices.ts'
import { SimulatedAttiny } from './simulated-attiny.ts'

const UP = 103
const ENTER = 28

/** Listens to a stick; `heard` are its events as `up pressed`, and `pass` lets time go by. */
function listen(source: StickSource, clock: ManualClock) {
  const joystick = new PolledJoystick(source, { clock, log: silentLog() })
  const heard: string[] = []
  joystick.onEvent(({ direction, action }) => heard.push(`${direction} ${action}`))
  onTestFinished(() => joystick.close())
  const since = async (ms: number) => {
    await clock.advance(ms)
    // Files are read beside the clock: when that is done the next read is due.
    await eventually('the stick has been read', () => clock.sleeping > 0)
    return heard.splice(0)
  }
  return { joystick, heard, since }
}

describe('the joystick over its input device', () => {
  function evdev(eventBytes: EventBytes) {
    const root = temporaryDirectory()
    inputDevice(root, 0, 'vc4-hdmi')
    const node = inputDevice(root, 3)
    let gone = false
    const calls = {
      ...NONBLOCKING,
      read: (fd: number, into: Buffer) => {
        if (gone) throw Object.assign(new Error('no such device'), { code: 'ENODEV' })
        return NONBLOCKING.read(fd, into)
      },
    }
    const clock = new ManualClock()
    const { joystick, heard, since } = listen(new EvdevStick(root, eventBytes, calls), clock)
    /** The kernel's side. */
    const kernel = (path = node) => {
      // A pipe opened for both waits for nobody.
      const fd = openSync(path, 'r+')
      onTestFinished(() => closeSync(fd))
      return (...events: [code: number, value: number][]) => {
        for (const [code, value] of events)
          writeSync(fd, Buffer.concat([inputEvent(eventBytes, 1, code, value), inputEvent(eventBytes, 0, 0, 0)]))
      }
    }
    return { root, clock, joystick, heard, since, kernel, unplug: () => (gone = true), plugIn: () => (gone = false) }
  }

  it.each([24, 16] as const)('is told as it is pressed, held and released, in structs of %d bytes', async (bytes) => {
    const { since, kernel } = evdev(bytes)
    expect(await since(0)).toEqual([])
    const tell = kernel()
    tell([UP, 1])
    expect(await since(50)).toEqual(['up pressed'])
    tell([UP, 2], [UP, 2], [UP, 0], [ENTER, 1])
    expect(await since(50)).toEqual(['up held', 'up held', 'up released', 'middle pressed'])
    expect(await since(50)).toEqual([])
  })

  it('that goes away is no longer pressed, and is read again when it is back under another number', async () => {
    const { root, joystick, since, kernel, unplug, plugIn } = evdev(24)
    await since(0)
    kernel()([UP, 1])
    expect(await since(50)).toEqual(['up pressed'])
    unplug()
    expect(await since(50)).toEqual(['up released'])
    expect(joystick.problem).toBe('the joystick cannot be read: the kernel offers the joystick no more')
    rmSync(join(root, 'sys/class/input/event3'), { recursive: true })
    expect(await since(10_000)).toEqual([])
    plugIn()
    const node = inputDevice(root, 5)
    await since(10_000)
    kernel(node)([ENTER, 1], [ENTER, 0])
    expect(await since(50)).toEqual(['middle pressed', 'middle released'])
    expect(joystick.problem).toBeUndefined()
  })

  it('whose kernel has dropped events is taken as released', async () => {
    const { root, since, kernel } = evdev(24)
    await since(0)
    kernel()([UP, 1])
    await since(50)
    const fd = openSync(join(root, 'dev/input/event3'), 'r+')
    writeSync(fd, inputEvent(24, 0, 3, 0))
    closeSync(fd)
    expect(await since(50)).toEqual(['up released'])
  })

  it('does not keep the program from ending', async () => {
    const { clock, joystick, heard, since, kernel } = evdev(24)
    await since(0)
    const began = performance.now()
    await joystick.close()
    expect(performance.now() - began).toBeLessThan(patient(1_000))
    kernel()([UP, 1])
    await clock.advance(60_000)
    expect([heard, clock.sleeping]).toEqual([[], 0])
  })
})

describe('the joystick over its microcontroller', () => {
  function attiny() {
    const chip = new SimulatedAttiny()
    const state = new BusState()
    const clock = new ManualClock()
    const bus = new SharedBus(async () => new SimulatedBus([chip], state, NO_CHANCE), clock)
    return { chip, state, ...listen(new AttinyStick(bus, () => clock.monotonic()), clock) }
  }

  it.each([
    ['down', 1],
    ['right', 2],
    ['up', 4],
    ['middle', 8],
    ['left', 16],
  ])('%s has its bit', async (direction, bit) => {
    const { chip, since } = attiny()
    await since(0)
    chip.keys = bit
    expect(await since(50)).toEqual([`${direction} pressed`])
    chip.keys = 0
    expect(await since(50)).toEqual([`${direction} released`])
  })

  it('is held after a quarter of a second, as a key', async () => {
    const { chip, since } = attiny()
    chip.keys = 4
    expect(await since(200)).toEqual(['up pressed'])
    expect(await since(100)).toEqual(['up held', 'up held'])
  })

  it('is not believed when bits without a meaning are set, but for the highest, which comes wrong', async () => {
    const { chip, since } = attiny()
    chip.keys = 0x24
    expect(await since(100)).toEqual([])
    chip.keys = 0x84
    expect(await since(50)).toEqual(['up pressed'])
  })

  it('that does not answer is taken as released, and pressed anew when it is back', async () => {
    const { chip, state, since } = attiny()
    chip.keys = 4
    expect(await since(50)).toEqual(['up pressed'])
    state.dead.add(0x46)
    expect(await since(1_000)).toEqual(['up released'])
    state.dead.clear()
    expect((await since(10_000))[0]).toBe('up pressed')
  })
})
