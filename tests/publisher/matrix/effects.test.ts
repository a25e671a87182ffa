import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dimmed, type Rgb } from '../../../publisher/matrix/colour.ts'
import { EFFECT_NAMES, EFFECTS, type EffectInput } from '../../../publisher/matrix/effects.ts'
import { onBoard, ROTATIONS } from '../../../publisher/matrix/quarter-turn.ts'
import { orientation } from '../../../publisher/orientation/measured-pose.ts'
import { anyBrightness, anyColour, anyRotation, drawing, isLit, pixels } from './support.ts'

const ORANGE = { r: 255, g: 120, b: 0 }

function input(changed: Partial<EffectInput> = {}): EffectInput {
  return {
    elapsedMs: 0,
    colour: ORANGE,
    brightness: 255,
    values: { temperature: 20, pitch: 0, roll: 0 },
    rotation: 0,
    ...changed,
  }
}

const angle = fc.option(fc.double({ min: 0, max: 360, maxExcluded: true, noNaN: true }))
const anyInput: fc.Arbitrary<EffectInput> = fc.record({
  elapsedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  colour: anyColour,
  brightness: anyBrightness,
  values: fc.record({
    temperature: fc.option(fc.double({ min: -60, max: 120, noNaN: true })),
    pitch: angle,
    roll: angle,
  }),
  rotation: anyRotation,
})
const total = (colours: readonly Rgb[]) => colours.reduce((sum, { r, g, b }) => sum + r + g + b, 0)

describe('every effect', () => {
  it.each(EFFECT_NAMES)('%s: brighter is never darker', (name) => {
    fc.assert(
      fc.property(anyInput, anyBrightness, (one, brightness) => {
        const [less, more] = [one.brightness, brightness].sort((a, b) => a - b)
        const frames = [less, more].map((level) => EFFECTS[name].draw({ ...one, brightness: level ?? 1 }))
        const [dark = [], bright = []] = frames.map(pixels)
        return bright.every((pixel, index) => total([pixel]) >= total(dark.slice(index, index + 1)))
      }),
      { numRuns: 30 },
    )
  })

  it.each(EFFECT_NAMES)('%s: what is not animated does not change with time', (name) => {
    if (EFFECTS[name].animated) return
    fc.assert(
      fc.property(anyInput, fc.nat(), (one, elapsedMs) =>
        EFFECTS[name].draw(one).equals(EFFECTS[name].draw({ ...one, elapsedMs })),
      ),
      { numRuns: 20 },
    )
  })
})

it('no effect is the colour everywhere', () => {
  const seen = pixels(EFFECTS.off.draw(input({ brightness: 100 })))
  expect(new Set(seen.map((pixel) => JSON.stringify(pixel)))).toEqual(new Set([JSON.stringify(dimmed(ORANGE, 100))]))
})

it('the rainbow has many colours and is the same again after a turn', () => {
  const start = EFFECTS.rainbow.draw(input())
  expect(new Set(pixels(start).map((pixel) => JSON.stringify(pixel))).size).toBeGreaterThan(10)
  expect(EFFECTS.rainbow.draw(input({ elapsedMs: 2_500 })).equals(start)).toBe(false)
  expect(EFFECTS.rainbow.draw(input({ elapsedMs: 5_000 })).equals(start)).toBe(true)
})

it('the pulse begins at the brightness asked for, fades to the least and comes back', () => {
  const at = (elapsedMs: number) => EFFECTS.pulse.draw(input({ elapsedMs, brightness: 200 })).at(3, 3)
  expect(at(0)).toEqual(dimmed(ORANGE, 200))
  expect(at(1_500)).toEqual(dimmed(ORANGE, 1))
  expect(at(3_000)).toEqual(at(0))
})

describe('the bubble', () => {
  it('is between its marks when the board lies level', () => {
    expect(drawing(EFFECTS.level.draw(input()))).toBe(
      ['........', '........', '..#..#..', '...##...', '...##...', '..#..#..', '........', '........'].join('\n'),
    )
  })

  it.each(ROTATIONS)(
    'goes up in a picture turned by %i° when the board leans so that its bottom is down',
    (rotation) => {
      // Gravity along "down" of the picture, as the board measures it: a lean of 30°.
      const down = onBoard({ x: 0, y: 1 }, rotation)
      const pose = orientation({ x: down.x / 2, y: down.y / 2, z: Math.sqrt(3) / 2 }, null)
      const { pitch = null, roll = null } = pose ?? {}
      const frame = EFFECTS.level.draw(input({ values: { temperature: null, pitch, roll }, rotation }))
      expect(drawing(frame)).toBe(
        ['...##...', '...##...', '..#..#..', '........', '........', '..#..#..', '........', '........'].join('\n'),
      )
    },
  )

  it('moves little with a small tilt, as the light on its side shows', () => {
    const values = { temperature: null, pitch: 2.5, roll: 0 }
    const frame = EFFECTS.level.draw(input({ values, colour: { r: 255, g: 0, b: 0 } }))
    const [left = 0, middle = 0, right = 0] = [3, 4, 5].map((x) => frame.at(x, 3).r)
    expect(middle).toBe(255)
    expect(left).toBeGreaterThan(48)
    expect(left).toBeLessThan(255)
    expect(right).toBeCloseTo(left, -1)
  })
})

describe('the thermometer', () => {
  const at = (temperature: number) => EFFECTS.thermometer.draw(input({ values: { temperature, pitch: 0, roll: 0 } }))
  const height = (temperature: number) =>
    drawing(at(temperature))
      .split('\n')
      .filter((row) => row[3] === '#').length

  it('rises one row for 5 °C, from one to eight', () => {
    expect([-10, 0, 5, 7, 10, 20, 37, 40, 60].map(height)).toEqual([1, 1, 1, 2, 2, 4, 8, 8, 8])
  })

  it('is blue, green and red', () => {
    const colour = (temperature: number) => at(temperature).at(3, 7)
    expect(colour(5)).toEqual({ r: 0, g: 0, b: 255 })
    expect(colour(25)).toEqual({ r: 0, g: 255, b: 0 })
    expect(colour(45)).toEqual({ r: 255, g: 0, b: 0 })
  })

  it('has marks at 10, 20 and 30 °C', () => {
    expect([10, 20, 30].map((celsius) => isLit(at(0).at(0, 8 - celsius / 5)))).toEqual([true, true, true])
  })
})

it.each([
  ['level', { temperature: 20, pitch: null, roll: 0 }],
  ['level', { temperature: 20, pitch: 0, roll: null }],
  ['thermometer', { temperature: null, pitch: 0, roll: 0 }],
] as const)('the %s of what was not measured is two dim dashes and no value', (name, values) => {
  const frame = EFFECTS[name].draw(input({ values }))
  expect(drawing(frame).split('\n')[3]).toBe('.##..##.')
  expect(pixels(frame).filter(isLit)).toHaveLength(4)
  expect(Math.max(...pixels(frame).map(({ r, g, b }) => Math.max(r, g, b)))).toBeLessThan(100)
})
