import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EFFECT_NAMES } from '../../../publisher/matrix/effects.ts'
import { changed, parseLightCommand } from '../../../publisher/matrix/light-command.ts'
import { LIGHT_AT_START, type LightState, publishedLight } from '../../../publisher/matrix/light-state.ts'
import { anyLight } from './support.ts'

const RED = { r: 255, g: 0, b: 0 }
const lit: LightState = { on: true, brightness: 77, colour: RED, effect: 'pulse' }
const commanded = (before: LightState, command: object | string) =>
  changed(before, parseLightCommand(typeof command === 'string' ? command : JSON.stringify(command)))

it('is published in the words of Home Assistant, with the colour as commanded', () => {
  expect(publishedLight({ on: true, brightness: 128, colour: { r: 255, g: 1, b: 2 }, effect: 'off' })).toEqual({
    state: 'ON',
    color_mode: 'rgb',
    color: { r: 255, g: 1, b: 2 },
    brightness: 128,
    effect: 'off',
  })
})

it('what is published is a command that gives the same light, whatever it was before', () => {
  fc.assert(
    fc.property(anyLight, anyLight, (light, before) => {
      expect(commanded(before, publishedLight(light))).toEqual({ state: light, flash: undefined })
    }),
  )
})

describe('a command', () => {
  it('changes what it names and leaves the rest', () => {
    expect(commanded(lit, { state: 'ON', brightness: 5 }).state).toEqual({ ...lit, brightness: 5 })
    expect(commanded(lit, { state: 'ON', color: { r: 1, g: 2, b: 3 } }).state.colour).toEqual({ r: 1, g: 2, b: 3 })
    expect(commanded(lit, { state: 'ON', effect: 'off' }).state).toEqual({ ...lit, effect: 'off' })
    expect(commanded(lit, { brightness: 9 }).state).toEqual({ ...lit, brightness: 9 })
  })

  it('ON after OFF brings back what was', () => {
    const off = commanded(lit, { state: 'OFF' }).state
    expect(off).toEqual({ ...lit, on: false })
    expect(commanded(off, { state: 'ON' }).state).toEqual(lit)
  })

  it('may be the bare word, and may have keys that mean nothing here', () => {
    expect(commanded(lit, 'OFF').state.on).toBe(false)
    expect(commanded(LIGHT_AT_START, ' ON\n').state.on).toBe(true)
    expect(commanded(lit, { state: 'ON', transition: 'soon', white: 3 }).state).toEqual(lit)
  })

  it('to flash interrupts, with the look it asks for, and changes nothing', () => {
    const { state, flash } = commanded(lit, { state: 'ON', flash: 2, color: { r: 0, g: 0, b: 9 } })
    expect(state).toEqual(lit)
    expect(flash).toEqual({ ms: 2_000, look: { ...lit, colour: { r: 0, g: 0, b: 9 } } })
  })

  it('to flash from off is off again after it; OFF with a flash blinks as it was and then is off', () => {
    const off = { ...lit, on: false }
    expect(commanded(off, { state: 'ON', flash: 10 })).toEqual({ state: off, flash: { ms: 10_000, look: lit } })
    expect(commanded(lit, { state: 'OFF', flash: 2 })).toEqual({ state: off, flash: { ms: 2_000, look: lit } })
  })
})

it.each([
  ['nonsense', 'it must be a JSON object'],
  ['', 'it must be a JSON object'],
  ['[]', 'it must be a JSON object'],
  ['null', 'it must be a JSON object'],
  ['"ON"', 'it must be a JSON object'],
  ['{"state":"on"}', 'state must be "ON" or "OFF"'],
  ['{"state":"ON","brightness":0}', 'brightness must be a whole number from 1 to 255'],
  ['{"state":"ON","brightness":256}', 'brightness must be a whole number from 1 to 255'],
  ['{"state":"ON","brightness":1.5}', 'brightness must be a whole number from 1 to 255'],
  ['{"state":"ON","brightness":"9"}', 'brightness must be a whole number from 1 to 255'],
  ['{"state":"ON","brightness":null}', 'brightness must be a whole number from 1 to 255'],
  ['{"state":"ON","color":{"r":1,"g":2}}', 'color.b must be a whole number from 0 to 255'],
  ['{"state":"ON","color":{"r":1,"g":2,"b":1e999}}', 'color.b must be a whole number from 0 to 255'],
  ['{"state":"ON","color":"red"}', 'color must be an object of r, g and b'],
  ['{"state":"ON","effect":"disco"}', 'effect must be one of off, rainbow, pulse, level, thermometer'],
  ['{"state":"ON","effect":"constructor"}', 'effect must be one of off, rainbow, pulse, level, thermometer'],
  ['{"state":"ON","flash":"short"}', 'flash must be seconds, at most 60'],
  ['{"state":"ON","flash":0}', 'flash must be longer than 0 seconds'],
  ['{"state":"ON","flash":61}', 'flash must be at most 60 seconds'],
])('%s is refused with a sentence', (payload, sentence) => {
  expect(() => parseLightCommand(payload)).toThrow(
    expect.objectContaining({
      code: 'E_COMMAND_INVALID',
      message: `the light does not understand the command: ${sentence}`,
      hint: expect.stringContaining('"state":"ON"'),
    }),
  )
})

const loose = <T>(valid: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: valid as fc.Arbitrary<unknown> }, fc.jsonValue())
const command = fc.record(
  {
    state: loose(fc.constantFrom('ON', 'OFF')),
    brightness: loose(fc.integer({ min: -5, max: 300 })),
    color: loose(fc.record({ r: fc.nat(300), g: fc.nat(300), b: fc.nat(300) })),
    effect: loose(fc.constantFrom(...EFFECT_NAMES)),
    flash: loose(fc.double({ min: -1, max: 100 })),
    transition: fc.jsonValue(),
  },
  { requiredKeys: [] },
)

it('any sequence of commands, good and bad, leaves a light that can be published', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          command.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
      ),
      (payloads) => {
        let light = LIGHT_AT_START
        for (const payload of payloads) {
          const before = structuredClone(light)
          try {
            light = commanded(light, payload).state
          } catch {
            expect(light).toEqual(before)
          }
          const { brightness, colour, effect, on } = light
          expect(typeof on).toBe('boolean')
          expect(Number.isInteger(brightness) && brightness >= 1 && brightness <= 255).toBe(true)
          expect(Object.keys(colour)).toEqual(['r', 'g', 'b'])
          expect(Object.values(colour).every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(
            true,
          )
          expect(EFFECT_NAMES).toContain(effect)
        }
      },
    ),
  )
})
