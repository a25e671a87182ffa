import { expect, it, onTestFinished } from 'vitest'
import { PanelWatch } from '../../../../publisher/matrix/drivers/panel-watch.ts'
import type { PanelVia } from '../../../../publisher/panel.ts'
import { silentLog } from '../../../../src/log.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

const NOTHING: PanelVia = { leds: null, joystick: null }
const KERNEL: PanelVia = { leds: 'framebuffer', joystick: 'evdev' }
const BUS: PanelVia = { leds: 'i2c', joystick: 'i2c' }

/** Looks, each a minute after the one before, and how often another way was told. */
function watched(used: PanelVia) {
  const clock = new ManualClock()
  let now: PanelVia | 'fails' = used
  let told = 0
  let looks = 0
  const look = async () => {
    looks++
    if (now === 'fails') throw new Error('no bus')
    return now
  }
  const watch = new PanelWatch(look, used, () => told++, { clock, log: silentLog() })
  onTestFinished(() => watch.close())
  const see = async (what: PanelVia | 'fails') => {
    now = what
    await clock.advance(60_000)
    return told
  }
  return { see, watch, looks: () => looks }
}

it.each([
  ['a driver that was loaded later', NOTHING, KERNEL],
  ['a driver that took the microcontroller over', BUS, KERNEL],
  ['a board without driver that was put on', NOTHING, BUS],
  ['a driver that was unloaded', KERNEL, BUS],
  ['one part of two', { leds: 'framebuffer', joystick: null } as const, KERNEL],
])('%s is told when it is seen twice, and only once', async (_what, used, now) => {
  const { see, looks } = watched(used)
  expect(await see(used)).toBe(0)
  expect(await see(now)).toBe(0)
  expect(await see(now)).toBe(1)
  expect(await see(now)).toBe(1)
  expect(looks()).toBe(3)
})

it('what comes and goes, or only went away, is not told', async () => {
  const flapping = watched(NOTHING)
  for (let i = 0; i < 5; i++) {
    expect(await flapping.see(BUS)).toBe(0)
    expect(await flapping.see(NOTHING)).toBe(0)
  }
  const gone = watched(KERNEL)
  for (let i = 0; i < 3; i++) expect(await gone.see(NOTHING)).toBe(0)
})

it('a look that fails does not end the looking, a close does', async () => {
  const { see, watch, looks } = watched(NOTHING)
  await see('fails')
  await see(KERNEL)
  await watch.close()
  expect(await see(KERNEL)).toBe(0)
  expect(looks()).toBe(2)
})
