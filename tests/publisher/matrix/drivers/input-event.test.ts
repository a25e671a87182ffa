import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type EventBytes,
  eventBytesOn,
  InputEventDecoder,
  type StickInput,
} from '../../../../publisher/matrix/drivers/input-event.ts'
import { inputEvent } from './kernel-devices.ts'

const KEY = 1
const SYNC = inputEvent(24, 0, 0, 0)

describe('an event of the kernel', () => {
  it.each([
    [103, 1, { direction: 'up', action: 'pressed' }],
    [105, 0, { direction: 'left', action: 'released' }],
    [106, 2, { direction: 'right', action: 'held' }],
    [108, 1, { direction: 'down', action: 'pressed' }],
    [28, 1, { direction: 'middle', action: 'pressed' }],
  ])('of key %d with value %d', (code, value, expected) => {
    expect(new InputEventDecoder(24).push(inputEvent(24, KEY, code, value))).toEqual([expected])
    expect(new InputEventDecoder(16).push(inputEvent(16, KEY, code, value))).toEqual([expected])
  })

  it('of another key, another kind or another value is nothing', () => {
    const others = [inputEvent(24, KEY, 30, 1), inputEvent(24, 4, 103, 1), inputEvent(24, KEY, 103, 3), SYNC]
    expect(new InputEventDecoder(24).push(Buffer.concat(others))).toEqual([])
  })

  it('that says others are missing is told', () => {
    expect(new InputEventDecoder(24).push(inputEvent(24, 0, 3, 0))).toEqual(['dropped'])
  })

  it('is as long as the words of the program', () => {
    expect(['arm64', 'x64', 'arm', 'ia32'].map(eventBytesOn)).toEqual([24, 24, 16, 16])
  })
})

const CODES = { up: 103, down: 108, left: 105, right: 106, middle: 28 } as const
const VALUES = { released: 0, pressed: 1, held: 2 } as const
const anyInput: fc.Arbitrary<StickInput> = fc.oneof(
  fc.record({
    direction: fc.constantFrom(...(Object.keys(CODES) as (keyof typeof CODES)[])),
    action: fc.constantFrom(...(Object.keys(VALUES) as (keyof typeof VALUES)[])),
  }),
  fc.constant('dropped' as const),
)

function encoded(input: StickInput, eventBytes: EventBytes): Buffer {
  return input === 'dropped'
    ? inputEvent(eventBytes, 0, 3, 0)
    : inputEvent(eventBytes, KEY, CODES[input.direction], VALUES[input.action])
}

it('the same events come out however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyInput, { maxLength: 30 }),
      fc.constantFrom<EventBytes>(16, 24),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      (inputs, eventBytes, cuts) => {
        const sync = inputEvent(eventBytes, 0, 0, 0)
        const bytes = Buffer.concat(inputs.flatMap((input) => [encoded(input, eventBytes), sync]))
        const decoder = new InputEventDecoder(eventBytes)
        const seen: StickInput[] = []
        // One buffer for all chunks, as a reader has it: what the decoder keeps must be its own.
        const chunk = Buffer.alloc(40)
        for (let at = 0; at < bytes.length; ) {
          const length = Math.min(cuts.next().value ?? 1, bytes.length - at)
          bytes.copy(chunk, 0, at, at + length)
          seen.push(...decoder.push(chunk.subarray(0, length)))
          at += length
        }
        expect(seen).toEqual(inputs)
      },
    ),
  )
})
