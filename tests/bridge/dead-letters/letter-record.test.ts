import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DeadLetter } from '../../../bridge/dead-letters/dead-letters.ts'
import { decodeLetter, encodeLetter } from '../../../bridge/dead-letters/letter-record.ts'

const letter: fc.Arbitrary<DeadLetter> = fc.record({
  device: fc.constantFrom('', 'pi', 'x'.repeat(63)),
  topic: fc.string({ unit: 'binary' }),
  code: fc.constantFrom('not_json', 'wrong_type', 'bad_topic'),
  reason: fc.string({ unit: 'binary', maxLength: 500 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  at: fc.nat(),
  position: fc.option(fc.record({ stream: fc.constant('aaaaaaaa'), seq: fc.nat() }), { nil: undefined }),
})

it('a letter comes back as it was, its payload byte for byte, whatever is in it', () => {
  fc.assert(
    fc.property(letter, (one) => {
      const { position, ...rest } = one
      expect(decodeLetter(encodeLetter(one, 1_000_000))).toEqual(position ? one : rest)
    }),
  )
})

it('of a letter that is too long the beginning comes back, and how long it was', () => {
  fc.assert(
    fc.property(letter, fc.integer({ min: 10_000, max: 20_000 }), (one, most) => {
      const payload = Buffer.alloc(30_000, one.payload.length > 0 ? one.payload : 'x')
      const kept = decodeLetter(encodeLetter({ ...one, payload }, most))
      expect(kept.cutFrom).toBe(30_000)
      expect(kept.payload.equals(payload.subarray(0, kept.payload.length))).toBe(true)
      expect(kept.payload.length).toBeGreaterThan(0)
      expect(encodeLetter({ ...one, payload }, most).length).toBe(most)
    }),
  )
})
