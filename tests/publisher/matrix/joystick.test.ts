import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  asSeen,
  DIRECTIONS,
  NO_PRESSES,
  type PressEvent,
  type StickEvent,
  told,
} from '../../../publisher/matrix/joystick.ts'
import type { Rotation } from '../../../publisher/matrix/quarter-turn.ts'
import { anyRotation } from './support.ts'

function toldOf(events: readonly StickEvent[]): PressEvent[] {
  let presses = NO_PRESSES
  return events.flatMap((event) => {
    const next = told(presses, event)
    presses = next.presses
    return next.event ? [next.event] : []
  })
}
const of = (...actions: StickEvent['action'][]) =>
  toldOf(actions.map((action) => ({ direction: 'up', action }))).map((event) => event.event_type)

it('a short press has a start and an end', () => {
  expect(of('pressed', 'released')).toEqual(['press_start', 'press_end'])
})

it('a hold is told once, and its end is that of a long press', () => {
  expect(of('pressed', 'held', 'held', 'held', 'released')).toEqual([
    'press_start',
    'long_press_start',
    'long_press_end',
  ])
})

it('the end of a press from before the start is not told, and the next press is', () => {
  expect(of('held', 'released', 'released', 'pressed', 'released')).toEqual(['press_start', 'press_end'])
})

it('a press whose end was lost does not swallow the next one', () => {
  expect(of('pressed', 'held', 'pressed', 'released')).toEqual([
    'press_start',
    'long_press_start',
    'press_start',
    'press_end',
  ])
})

const anyEvent: fc.Arbitrary<StickEvent> = fc.record({
  direction: fc.constantFrom(...DIRECTIONS),
  action: fc.constantFrom('pressed', 'held', 'released'),
})
const GRAMMAR = /^(press_start (long_press_start )?(press_end |long_press_end )?)*$/

it('whatever the stick does, each direction tells starts before ends, and long ends of long presses only', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      for (const direction of DIRECTIONS) {
        const types = toldOf(events).filter((event) => event.direction === direction)
        const sentence = types.map((event) => `${event.event_type} `).join('')
        expect(sentence).toMatch(GRAMMAR)
        expect(sentence).not.toMatch(/long_press_start press_end|(^| )press_start long_press_end/)
        // Directions do not disturb each other.
        expect(toldOf(events.filter((event) => event.direction === direction))).toEqual(types)
      }
    }),
  )
})

it('turns with the picture: the edge that is on top is up', () => {
  const seen = (rotation: Rotation) => DIRECTIONS.map((direction) => asSeen(direction, rotation))
  expect(seen(0)).toEqual(['up', 'down', 'left', 'right', 'middle'])
  expect(seen(90)).toEqual(['left', 'right', 'down', 'up', 'middle'])
  expect(seen(180)).toEqual(['down', 'up', 'right', 'left', 'middle'])
  expect(seen(270)).toEqual(['right', 'left', 'up', 'down', 'middle'])
})

it('turning it is a group', () => {
  fc.assert(
    fc.property(fc.constantFrom(...DIRECTIONS), anyRotation, anyRotation, (direction, a, b) => {
      expect(asSeen(asSeen(direction, a), b)).toBe(asSeen(direction, ((a + b) % 360) as Rotation))
    }),
  )
})
