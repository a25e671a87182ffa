import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DARK, Frame } from '../../../publisher/matrix/frame.ts'
import { MemoryMatrix } from '../../../publisher/matrix/memory-matrix.ts'
import { onBoard, onPicture, type Rotation } from '../../../publisher/matrix/quarter-turn.ts'
import { anyFrame, anyRotation, drawing, drawn } from './support.ts'

const arrow = drawn(`
  ...##...
  ..####..
  .######.
  ...##...
  ...##...
  ...##...
  ...##...
  ...###..`)

it('a picture turned by 90° has its top at the right of the board, as python-sense-hat turns it', () => {
  expect(drawing(arrow.turned(90)).split('\n')).toEqual([
    '........',
    '.....#..',
    '.....##.',
    '########',
    '########',
    '#....##.',
    '.....#..',
    '........',
  ])
})

it('turning is a group: two turns are one by their sum, and none changes nothing', () => {
  fc.assert(
    fc.property(anyFrame, anyRotation, anyRotation, (frame, first, second) => {
      const sum = ((first + second) % 360) as Rotation
      return frame.turned(first).turned(second).equals(frame.turned(sum)) && frame.turned(0).equals(frame)
    }),
    { numRuns: 50 },
  )
})

it('pixels and directions turn alike: what is right of the centre in the picture is where right leads on the board', () => {
  fc.assert(
    fc.property(anyRotation, (rotation) => {
      const right = onBoard({ x: 1, y: 0 }, rotation)
      const frame = drawn('........ ........ ........ ....#### ....#### ........ ........ ........').turned(rotation)
      const lit = drawing(frame)
        .split('\n')
        .flatMap((row, y) => [...row].flatMap((pixel, x) => (pixel === '#' ? [{ x: x - 3.5, y: y - 3.5 }] : [])))
      expect(lit).toHaveLength(8)
      expect(lit.every((at) => at.x * right.x + at.y * right.y > 0)).toBe(true)
      expect(onPicture(right, rotation)).toEqual({ x: 1, y: 0 })
    }),
  )
})

it('a frame never changes, whatever is done with what it gave', () => {
  const colour = { r: 1, g: 2, b: 3 }
  const frame = Frame.of(() => colour)
  colour.r = 200
  Object.assign(frame.at(0, 0), { g: 200 })
  expect(frame.at(0, 0)).toEqual({ r: 1, g: 2, b: 3 })
})

it('channels stay within 0 and 255, and outside of the picture it is dark', () => {
  const frame = Frame.of(() => ({ r: -5, g: 300, b: 7.4 }))
  expect(frame.at(7, 7)).toEqual({ r: 0, g: 255, b: 7 })
  expect(frame.at(8, 0)).toEqual({ r: 0, g: 0, b: 0 })
  expect(frame.at(-1, 0)).toEqual({ r: 0, g: 0, b: 0 })
})

it('a matrix in memory shows the last frame and remembers only the latest', async () => {
  const matrix = new MemoryMatrix(2)
  expect(matrix.shown.equals(DARK)).toBe(true)
  for (const value of [1, 2, 3]) await matrix.show(Frame.of(() => ({ r: value, g: 0, b: 0 })))
  expect(matrix.frames.map((frame) => frame.at(0, 0).r)).toEqual([2, 3])
  expect(matrix.shown.at(0, 0).r).toBe(3)
  expect(matrix.count).toBe(3)
})
