import { describe, expect, it } from 'vitest'
import { dimmed, type Rgb, WHITE } from '../../../publisher/matrix/colour.ts'
import type { ScreenSettings } from '../../../publisher/matrix/config.ts'
import { EFFECTS } from '../../../publisher/matrix/effects.ts'
import { DARK, Frame } from '../../../publisher/matrix/frame.ts'
import { Screen } from '../../../publisher/matrix/screen.ts'
import { statusFrame } from '../../../publisher/matrix/signs.ts'
import { textStrip } from '../../../publisher/matrix/text-strip.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { drawing, drawn, FaultyMatrix, isLit, pixels } from './support.ts'

const RED = { r: 255, g: 0, b: 0 }
const NOON = Date.UTC(2026, 5, 1, 12)
const minuteOfDay = (epochMs: number) => Math.floor(epochMs / 60_000) % 1_440
const fill = (colour: Rgb) => Frame.of(() => colour)
const NO_VALUES = { temperature: null, pitch: null, roll: null }

async function setUp(changed: Partial<ScreenSettings> = {}, at = NOON) {
  const clock = new ManualClock(at)
  const matrix = new FaultyMatrix(10_000)
  const settings: ScreenSettings = { rotation: 0, status: false, scrollRate: 10, night: undefined, ...changed }
  const screen = new Screen(matrix, settings, { clock, log: silentLog(), minuteOfDay })
  await clock.advance(100)
  const command = (value: object) => screen.light(JSON.stringify(value))
  return { clock, matrix, screen, command }
}

it('is dark at first, whatever the matrix showed before', async () => {
  const { matrix, screen } = await setUp()
  expect(matrix.frames).toHaveLength(1)
  expect(matrix.shown.equals(DARK)).toBe(true)
  expect(screen.lightState).toEqual({ on: false, brightness: 128, colour: WHITE, effect: 'off' })
})

describe('the light', () => {
  it('fills the matrix, and OFF makes it dark', async () => {
    const { clock, matrix, command } = await setUp()
    expect(command({ state: 'ON', brightness: 40, color: RED })).toMatchObject({ on: true, brightness: 40 })
    await clock.advance(50)
    expect(matrix.shown.equals(fill(dimmed(RED, 40)))).toBe(true)
    command({ state: 'OFF' })
    await clock.advance(50)
    expect(matrix.shown.equals(DARK)).toBe(true)
  })

  it('that stays as it is writes nothing', async () => {
    const { clock, matrix, command } = await setUp()
    command({ state: 'ON', color: RED })
    await clock.advance(3_600_000)
    expect(matrix.count).toBe(2)
    expect(clock.sleeping).toBe(0)
  })

  it('with a moving effect has ten frames a second, and the brightness can change without it beginning again', async () => {
    const { clock, matrix, command } = await setUp()
    command({ state: 'ON', effect: 'rainbow', brightness: 255 })
    const before = matrix.count
    await clock.advance(2_000)
    expect(matrix.count - before).toBeGreaterThanOrEqual(19)
    expect(matrix.count - before).toBeLessThanOrEqual(21)
    command({ state: 'ON', brightness: 100 })
    await clock.advance(50)
    const input = { colour: WHITE, brightness: 100, values: NO_VALUES, rotation: 0 } as const
    expect(matrix.shown.equals(EFFECTS.rainbow.draw({ ...input, elapsedMs: 2_050 }))).toBe(true)
  })

  it('shows the values of the latest reading, and writes only when the picture differs', async () => {
    const { clock, matrix, screen, command } = await setUp()
    command({ state: 'ON', effect: 'thermometer', brightness: 255 })
    await clock.advance(100)
    expect(drawing(matrix.shown).split('\n')[3]).toBe('.##..##.')
    screen.values({ temperature: 20, pitch: 0, roll: 0 })
    await clock.advance(100)
    expect(drawing(matrix.shown).split('\n')[4]).toBe('#.####..')
    const { count } = matrix
    screen.values({ temperature: 20, pitch: 50, roll: 0 })
    await clock.advance(100)
    expect(matrix.count).toBe(count)
    screen.values(NO_VALUES)
    await clock.advance(100)
    expect(drawing(matrix.shown).split('\n')[3]).toBe('.##..##.')
  })

  it('refuses a bad command and stays as it is', async () => {
    const { clock, matrix, screen, command } = await setUp()
    command({ state: 'ON', color: RED })
    await clock.advance(100)
    const { lightState } = screen
    expect(() => command({ state: 'ON', color: WHITE, brightness: 999 })).toThrow('brightness must be')
    await clock.advance(100)
    expect(screen.lightState).toEqual(lightState)
    expect(matrix.count).toBe(2)
  })

  it('flashes twice a second for as long as asked, and is then as before', async () => {
    const { clock, matrix, screen, command } = await setUp()
    command({ state: 'ON', color: RED, brightness: 255 })
    await clock.advance(100)
    const from = matrix.count
    command({ state: 'ON', flash: 2, color: { r: 0, g: 255, b: 0 } })
    await clock.advance(1_900)
    expect(screen.showing).toBe('flash')
    await clock.advance(200)
    expect(screen.showing).toBe('light')
    const blinks = matrix.frames.slice(from).map((frame) => frame.at(0, 0))
    const [green, dark] = [
      { r: 0, g: 255, b: 0 },
      { r: 0, g: 0, b: 0 },
    ]
    expect(blinks).toEqual([green, dark, green, dark, green, dark, green, dark, RED])
    expect(screen.lightState.colour).toEqual(RED)
  })

  it('ends its flash with the next command', async () => {
    const { clock, matrix, screen, command } = await setUp()
    command({ state: 'ON', flash: 10 })
    await clock.advance(100)
    command({ state: 'OFF' })
    await clock.advance(100)
    expect(screen.showing).toBe('nothing')
    expect(matrix.shown.equals(DARK)).toBe(true)
  })
})

describe('a message', () => {
  it('scrolls at the rate of the settings in white, as bright as the light, and then the light is back', async () => {
    const { clock, matrix, screen, command } = await setUp({ scrollRate: 5 })
    command({ state: 'ON', color: RED, brightness: 30 })
    await clock.advance(100)
    const from = matrix.count
    screen.message('Hi')
    const steps = textStrip('Hi').length + 7
    await clock.advance(steps * 200 - 10)
    expect(screen.showing).toBe('message')
    await clock.advance(60)
    expect(screen.showing).toBe('light')
    const frames = matrix.frames.slice(from)
    expect(frames).toHaveLength(steps + 1)
    expect(drawing(frames[7] ?? DARK).split('\n')[0]).toBe('#...#.#.')
    expect(
      new Set(
        pixels(frames[7] ?? DARK)
          .filter(isLit)
          .map(({ r }) => r),
      ),
    ).toEqual(new Set([dimmed(WHITE, 30).r]))
    expect(matrix.shown.equals(fill(dimmed(RED, 30)))).toBe(true)
  })

  it('waits for those before it; of too many the oldest that waits is given up and counted', async () => {
    const { clock, screen } = await setUp()
    for (let sent = 0; sent < 8; sent++) screen.message('!')
    expect(screen.counts.messagesDropped).toBe(2)
    // Six of them: each one column wide, so eight steps long.
    await clock.advance(6 * 800 - 10)
    expect(screen.showing).toBe('message')
    await clock.advance(20)
    expect(screen.showing).toBe('nothing')
  })

  it('without anything to see is none', async () => {
    const { screen, matrix } = await setUp()
    screen.message(' \n')
    await settled()
    expect(screen.showing).toBe('nothing')
    expect(matrix.count).toBe(1)
  })
})

describe('identify', () => {
  it('turns at full brightness whatever else there is, and then that goes on; a message begins again', async () => {
    const { clock, matrix, screen, command } = await setUp({ night: { from: 0, to: 1_439, brightness: 1 } })
    command({ state: 'ON', brightness: 1 })
    screen.message('Hi')
    screen.message('.')
    await clock.advance(700)
    const from = matrix.count
    screen.identify()
    await clock.advance(9_900)
    expect(screen.showing).toBe('identify')
    const frames = matrix.frames.slice(from)
    expect(frames.length).toBeGreaterThan(90)
    expect(frames.every((frame) => pixels(frame).filter(({ r }) => r === 255).length === 32)).toBe(true)
    for (const y of [0, 3, 7]) {
      const seen = new Set(frames.map((frame) => isLit(frame.at(0, y))))
      expect(seen.size).toBe(2)
    }
    await clock.advance(110)
    expect(screen.showing).toBe('message')
    expect(drawing(matrix.shown).split('\n')[0]).toBe('.......#')
  })

  it('asked for again lasts longer', async () => {
    const { clock, screen } = await setUp()
    screen.identify()
    await clock.advance(6_000)
    screen.identify()
    await clock.advance(9_000)
    expect(screen.showing).toBe('identify')
    await clock.advance(1_010)
    expect(screen.showing).toBe('nothing')
  })
})

describe('the status', () => {
  it('is not shown unless the settings want it', async () => {
    const { clock, matrix, screen } = await setUp()
    screen.status('error')
    await clock.advance(100)
    expect(matrix.shown.equals(DARK)).toBe(true)
  })

  it('is a few dim pixels in the corner, more of them the worse it is, while the light is off', async () => {
    const { clock, matrix, screen, command } = await setUp({ status: true })
    const lit: number[] = []
    for (const status of ['connected', 'backlog', 'error', undefined] as const) {
      screen.status(status)
      await clock.advance(100)
      expect(matrix.shown.equals(statusFrame(status))).toBe(true)
      expect(Math.max(...pixels(matrix.shown).map(({ r, g }) => Math.max(r, g)))).toBeLessThan(80)
      lit.push(pixels(matrix.shown).filter(isLit).length)
    }
    expect(lit).toEqual([1, 2, 4, 0])
    screen.status('error')
    command({ state: 'ON' })
    await clock.advance(100)
    expect(screen.showing).toBe('light')
  })
})

describe('the night', () => {
  const night = { from: 22 * 60, to: 6 * 60, brightness: 5 }
  const EVENING = Date.UTC(2026, 5, 1, 21, 58, 30)

  it('comes and goes by the local time: the status is dark then', async () => {
    const { clock, matrix, screen } = await setUp({ status: true, night }, EVENING)
    screen.status('connected')
    await clock.advance(80_000)
    expect(matrix.shown.equals(DARK)).toBe(false)
    await clock.advance(20_000)
    expect(matrix.shown.equals(DARK)).toBe(true)
    await clock.advance(8 * 3_600_000)
    expect(matrix.shown.equals(statusFrame('connected'))).toBe(true)
    expect(matrix.count).toBe(4)
  })

  it('caps the brightness of the light and of messages, and reports what was commanded', async () => {
    const { clock, matrix, screen, command } = await setUp({ night }, EVENING)
    command({ state: 'ON', color: RED, brightness: 200 })
    await clock.advance(120_000)
    expect(matrix.shown.equals(fill(dimmed(RED, 5)))).toBe(true)
    expect(screen.lightState.brightness).toBe(200)
    command({ state: 'ON', brightness: 2 })
    await clock.advance(100)
    expect(matrix.shown.equals(fill(dimmed(RED, 2)))).toBe(true)
    command({ state: 'ON', brightness: 200 })
    screen.message('!')
    await clock.advance(100)
    expect(Math.max(...pixels(matrix.shown).map(({ g }) => g))).toBe(dimmed(WHITE, 5).g)
  })

  it('is noticed within a minute when the clock is set', async () => {
    const { clock, matrix, screen } = await setUp({ status: true, night }, NOON)
    screen.status('connected')
    await clock.advance(100)
    clock.setWall(Date.UTC(2026, 5, 1, 23))
    await clock.advance(60_000)
    expect(matrix.shown.equals(DARK)).toBe(true)
  })
})

it('everything is turned by the rotation of the settings but the bubble, which stays where up is', async () => {
  const { clock, matrix, screen, command } = await setUp({ rotation: 180, status: true })
  screen.status('connected')
  await clock.advance(100)
  expect(drawing(matrix.shown).split('\n')[0]).toBe('#.......')
  command({ state: 'ON', effect: 'level' })
  // The USB end down: the bubble is at the other end of the board.
  screen.values({ temperature: null, pitch: 330, roll: 0 })
  await clock.advance(100)
  expect(drawing(matrix.shown)).toBe(
    drawing(drawn('........ ........ ..#..#.. ##...... ##...... ..#..#.. ........ ........')),
  )
})

it('a matrix that fails is a problem until it works again, and no command notices', async () => {
  const { clock, matrix, screen, command } = await setUp()
  matrix.fault = 'refuses'
  expect(command({ state: 'ON', color: RED })).toMatchObject({ on: true })
  screen.message('lost')
  screen.identify()
  await clock.advance(12_000)
  expect(screen.problem).toBe('the LED matrix does not answer')
  expect(screen.counts.framesFailed).toBe(2)
  matrix.fault = 'none'
  await clock.advance(20_000)
  expect(screen.problem).toBeUndefined()
  expect(matrix.shown.equals(fill(dimmed(RED, 128)))).toBe(true)
})

it('closed it is dark, and what comes after changes nothing', async () => {
  const { clock, matrix, screen, command } = await setUp()
  command({ state: 'ON', effect: 'rainbow' })
  await clock.advance(1_000)
  await screen.close()
  command({ state: 'ON', color: RED })
  screen.message('late')
  screen.identify()
  await clock.advance(60_000)
  expect(matrix.shown.equals(DARK)).toBe(true)
  expect(matrix.closed).toBe(true)
})
