import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rgb565 } from '../../../../publisher/matrix/drivers/rgb565.ts'
import { Frame, SIDE } from '../../../../publisher/matrix/frame.ts'
import { anyFrame, pixels } from '../support.ts'

it.each([
  ['red', 255, 0, 0, '00f8'],
  ['green', 0, 255, 0, 'e007'],
  ['blue', 0, 0, 255, '1f00'],
  ['white', 255, 255, 255, 'ffff'],
  ['orange', 255, 128, 0, '00fc'],
])('%s is 16 bits, low byte first', (_name, r, g, b, bytes) => {
  expect(rgb565(Frame.of(() => ({ r, g, b }))).toString('hex')).toBe(bytes.repeat(64))
})

it('a pixel has its place: rows from the top, each from the left', () => {
  fc.assert(
    fc.property(fc.nat(SIDE - 1), fc.nat(SIDE - 1), (x, y) => {
      const bytes = rgb565(Frame.of((atX, atY) => ({ r: 0, g: 0, b: atX === x && atY === y ? 255 : 0 })))
      expect(bytes.readUInt16LE((y * 8 + x) * 2)).toBe(31)
      expect(bytes.filter((byte) => byte !== 0)).toHaveLength(1)
    }),
  )
})

it('nothing is lost but what 5, 6 and 5 bits cannot hold', () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const bytes = rgb565(frame)
      expect(bytes).toHaveLength(128)
      const kept = pixels(frame).map((_, index) => {
        const value = bytes.readUInt16LE(index * 2)
        return { r: (value >> 11) * 8, g: ((value >> 5) & 0x3f) * 4, b: (value & 0x1f) * 8 }
      })
      expect(kept).toEqual(pixels(frame).map(({ r, g, b }) => ({ r: r - (r % 8), g: g - (g % 4), b: b - (b % 8) })))
    }),
  )
})
