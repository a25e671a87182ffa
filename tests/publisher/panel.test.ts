import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rgb565 } from '../../publisher/matrix/drivers/rgb565.ts'
import { Frame } from '../../publisher/matrix/frame.ts'
import { startPublisher } from '../../publisher/publisher.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { fastClock } from '../support/fast-clock.ts'
import { startBroker, until } from './broker.ts'
import { framebuffer, inputDevice } from './matrix/drivers/kernel-devices.ts'
import { chipsOf } from './sensors/support.ts'
import { identity, publisherSections } from './support.ts'

async function start(prepare: (root: string) => void) {
  const { url, seen, publish } = await startBroker()
  const root = temporaryDirectory()
  prepare(root)
  const board = chipsOf()
  const settings = publisherSections(url, { simulate: false, reading_interval: 0.1 })
  const deps = { clock: systemClock(), log: silentLog(), random: () => 0, identity, root, openBus: () => board.open() }
  const publisher = await startPublisher({ ...settings, matrix: { ...settings.matrix, status: true } }, deps)
  onTestFinished(() => publisher.close())
  const topics = () => seen.map(({ topic }) => topic)
  await until(() => topics().includes('sensehat/pi-a/info'))
  const info = () => JSON.parse(seen.findLast(({ topic }) => topic === 'sensehat/pi-a/info')?.payload ?? '{}')
  const announced = () => seen.find(({ topic }) => topic === 'homeassistant/device/pi-a/sensehat/config')?.payload ?? ''
  return { publisher, publish, info, announced }
}

describe('a real board', () => {
  it('with kernel drivers shows the light on its framebuffer, and is dark in the end', async () => {
    let node = ''
    const { publisher, publish, info } = await start((root) => {
      node = framebuffer(root, 1).node
      inputDevice(root, 0)
    })
    expect(info()).toMatchObject({ leds: 'framebuffer', joystick: 'evdev' })
    await publish(
      'sensehat/pi-a/set/led',
      JSON.stringify({ state: 'ON', brightness: 255, color: { r: 255, g: 0, b: 0 } }),
    )
    const red = rgb565(Frame.of(() => ({ r: 255, g: 0, b: 0 })))
    await until(() => readFileSync(node).equals(red))
    await publisher.close()
    expect(readFileSync(node)).toEqual(Buffer.alloc(128))
  })

  it('shows its status in the corner', async () => {
    let node = ''
    await start((root) => {
      node = framebuffer(root, 1).node
    })
    const corner = () => readFileSync(node).readUInt16LE((7 * 8 + 7) * 2)
    // Green: six bits in the middle.
    await until(() => corner() !== 0 && (corner() & 0x07e0) === corner())
    expect(readFileSync(node).filter((byte) => byte !== 0).length).toBeLessThanOrEqual(2)
  })

  it('without LEDs and joystick announces neither', async () => {
    const { info, announced } = await start(() => undefined)
    expect(info()).toMatchObject({ leds: null, joystick: null, simulated: false })
    await until(() => announced() !== '')
    expect(announced()).toContain('temperature')
    expect(announced()).not.toMatch(/joystick|set\/led/)
  })

  it.each([
    ['starts again', 'on disk', 1],
    ['does not, as readings could be lost,', 'in memory', 0],
  ])('%s with an outbox %s when the driver of its LEDs is loaded after it', async (_what, outbox, times) => {
    const clock = fastClock(100)
    const board = chipsOf({ clock })
    const root = temporaryDirectory()
    const outbox_dir = outbox === 'on disk' ? join(temporaryDirectory(), 'outbox') : ''
    let restarts = 0
    const publisher = await startPublisher(
      publisherSections('mqtt://127.0.0.1:1', { simulate: false, reading_interval: 10, outbox_dir }),
      {
        clock,
        log: silentLog(),
        random: () => 0,
        identity,
        root,
        openBus: () => board.open(),
        restart: () => restarts++,
      },
    )
    onTestFinished(() => publisher.close())
    framebuffer(root, 1)
    // Two looks, a minute apart, and one more.
    await clock.sleep(200_000)
    expect(restarts).toBe(times)
  })
})
