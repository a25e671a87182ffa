import { describe, expect, it } from 'vitest'
import { findPanel } from '../../../../publisher/matrix/drivers/find-panel.ts'
import { openPanel } from '../../../../publisher/matrix/drivers/open-panel.ts'
import { SharedBus } from '../../../../publisher/sensors/bus/shared-bus.ts'
import { BusState, SimulatedBus } from '../../../../publisher/sensors/simulated-bus/simulated-bus.ts'
import { silentLog } from '../../../../src/log.ts'
import { temporaryDirectory } from '../../../support/directory.ts'
import { LeapClock } from '../../../support/leap-clock.ts'
import { NO_CHANCE } from '../../sensors/support.ts'
import { framebuffer, inputDevice } from './kernel-devices.ts'
import { SimulatedAttiny } from './simulated-attiny.ts'

function board(microcontroller: 'answers' | 'dead' | 'claimed' | 'strange') {
  const chip = new SimulatedAttiny()
  if (microcontroller === 'strange') chip.read = (_command, into) => into.fill(0x12)
  const state = new BusState()
  if (microcontroller === 'dead') state.dead.add(0x46)
  if (microcontroller === 'claimed') state.claimed.add(0x46)
  let transfers = 0
  const clock = new LeapClock()
  const bus = new SharedBus(async () => new SimulatedBus([chip], state, NO_CHANCE, () => transfers++), clock)
  const root = temporaryDirectory()
  const opened = async () => {
    const { matrix, joystick } = await openPanel({ bus, root, eventBytes: 24 }, { clock, log: silentLog() })
    return [matrix?.via, joystick?.via]
  }
  return { root, bus, transfers: () => transfers, find: () => findPanel(bus, root), opened }
}

describe('LEDs and joystick', () => {
  it('with kernel drivers are used over them, and the bus is left alone', async () => {
    const { root, find, opened, transfers } = board('claimed')
    const { node } = framebuffer(root, 1)
    const stick = inputDevice(root, 2)
    expect(await find()).toEqual({
      leds: { via: 'framebuffer', where: node, hint: null },
      joystick: { via: 'evdev', where: stick, hint: null },
      problem: null,
      hint: null,
    })
    expect(await opened()).toEqual(['framebuffer', 'evdev'])
    expect(transfers()).toBe(0)
  })

  it('without kernel drivers are used over the bus', async () => {
    const { find, opened } = board('answers')
    const way = { via: 'i2c', where: '0x46', hint: null }
    expect(await find()).toEqual({ leds: way, joystick: way, problem: null, hint: null })
    expect(await opened()).toEqual(['i2c', 'i2c'])
  })

  it('of which a kernel driver offers only one are not shared with it', async () => {
    const { root, find, opened } = board('claimed')
    framebuffer(root, 0)
    expect(await find()).toMatchObject({
      joystick: null,
      problem: 'a kernel driver owns 0x46 and does not offer all of it',
      hint: expect.stringContaining('modprobe'),
    })
    expect(await opened()).toEqual(['framebuffer', undefined])
  })

  it.each([
    ['dead', /nobody answers/],
    ['strange', /another chip is at 0x46: it says it is 0x12/],
  ] as const)('whose microcontroller is %s are absent', async (how, problem) => {
    const { find, opened } = board(how)
    expect(await find()).toMatchObject({ leds: null, joystick: null, problem: expect.stringMatching(problem) })
    expect(await opened()).toEqual([undefined, undefined])
  })

  it('are not looked for among other devices of their kind', async () => {
    const { root, opened } = board('dead')
    framebuffer(root, 0, 'vc4drmfb')
    inputDevice(root, 0, 'Some Keyboard')
    expect(await opened()).toEqual([undefined, undefined])
  })
})
