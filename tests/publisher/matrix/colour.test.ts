import fc from 'fast-check'
import { expect, it } from 'vitest'
import { dimmed, hue, type Rgb } from '../../../publisher/matrix/colour.ts'
import { anyBrightness, anyColour } from './support.ts'

const channels = ({ r, g, b }: Rgb) => [r, g, b]

/** The default table of the kernel's driver, 5-bit value to level of the LED (documented). */
const GAMMA = [
  0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 17, 18, 20, 21, 23, 25, 27, 29, 31,
]
const level = (channel: number) => GAMMA[channel >> 3] ?? Number.NaN

it('brighter is never darker in any channel', () => {
  fc.assert(
    fc.property(anyColour, anyBrightness, anyBrightness, (colour, a, b) => {
      const less = channels(dimmed(colour, Math.min(a, b)))
      const more = channels(dimmed(colour, Math.max(a, b)))
      return less.every((value, index) => value <= (more[index] ?? -1))
    }),
  )
})

it('any colour but black gives light at any brightness', () => {
  fc.assert(
    fc.property(anyColour, anyBrightness, (colour, brightness) => {
      const lit = channels(dimmed(colour, brightness)).some((value) => level(value) > 0)
      return lit === channels(colour).some((value) => value > 0)
    }),
  )
})

it('full brightness is the colour itself, as far as the panel can show it', () => {
  expect(dimmed({ r: 255, g: 120, b: 3 }, 255)).toEqual({ r: 255, g: 120, b: 3 })
  expect(dimmed({ r: 60, g: 0, b: 30 }, 255)).toEqual({ r: 60, g: 0, b: 30 })
  expect(dimmed({ r: 12, g: 6, b: 0 }, 255)).toEqual({ r: 48, g: 24, b: 0 })
  expect(dimmed({ r: 255, g: 255, b: 255 }, 0)).toEqual({ r: 0, g: 0, b: 0 })
})

it('a dimmed colour keeps the proportion of its channels', () => {
  fc.assert(
    fc.property(anyColour, anyBrightness, (colour, brightness) => {
      const strongest = Math.max(...channels(colour))
      const seen = dimmed(colour, brightness)
      const factor = Math.max(...channels(seen)) / strongest
      return (
        channels(colour).every((value, index) => Math.abs(value * factor - (channels(seen)[index] ?? -9)) <= 1) ||
        strongest === 0
      )
    }),
  )
})

it('the colour circle goes over green and blue back to red', () => {
  expect(hue(0)).toEqual({ r: 255, g: 0, b: 0 })
  expect(hue(1 / 3)).toEqual({ r: 0, g: 255, b: 0 })
  expect(hue(2 / 3)).toEqual({ r: 0, g: 0, b: 255 })
  expect(hue(7)).toEqual(hue(0))
  expect(hue(-1 / 3)).toEqual(hue(2 / 3))
})
