import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrame, encodeFrame, FRAME_OVERHEAD, KIND, type Kind, restampFrame } from '../../src/durable-log/frame.ts'
import { scan } from '../../src/durable-log/scan.ts'

const body = fc.uint8Array({ maxLength: 300 })
const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const kind = fc.constantFrom<Kind>(KIND.record, KIND.recordAfterSync, KIND.mark)

function frame(of: Kind, number: number, bytes: Uint8Array): Buffer {
  const buffer = Buffer.alloc(FRAME_OVERHEAD + bytes.length)
  encodeFrame(buffer, 0, of, number, bytes)
  return buffer
}

function file(bodies: readonly Uint8Array[], first = 1): Buffer {
  return Buffer.concat(bodies.map((bytes, i) => frame(KIND.record, first + i, bytes)))
}

describe('a frame', () => {
  it('comes back as it was written, with every number up to the largest safe one', () => {
    fc.assert(
      fc.property(kind, sequence, body, fc.nat(9), (of, number, bytes, at) => {
        const buffer = Buffer.alloc(at + FRAME_OVERHEAD + bytes.length)
        const end = encodeFrame(buffer, at, of, number, bytes)
        expect(end).toBe(buffer.length)
        const decoded = decodeFrame(buffer, at)
        expect(decoded).toEqual({ kind: of, sequence: number, body: Buffer.from(bytes), end })
      }),
    )
  })

  it('is known to be damaged whichever bit flips', () => {
    fc.assert(
      fc.property(sequence, fc.uint8Array({ maxLength: 40 }), (number, bytes) => {
        const whole = frame(KIND.record, number, bytes)
        for (let bit = 0; bit < whole.length * 8; bit++) {
          whole.writeUInt8((whole[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3)
          expect(typeof decodeFrame(whole, 0)).toBe('string')
          whole.writeUInt8((whole[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3)
        }
        expect(typeof decodeFrame(whole, 0)).toBe('object')
      }),
      { numRuns: 30 },
    )
  })

  it('is not found in space that was never written', () => {
    expect(decodeFrame(Buffer.alloc(100), 0)).toBe('damaged')
    expect([...scan(Buffer.alloc(5000), 0, 0)]).toMatchObject([{ at: 0, end: 5000, records: 0 }])
  })

  it('with an absurd length is damage, and nothing is allocated for it', () => {
    const bytes = frame(KIND.record, 1, Buffer.from('x'))
    bytes.writeUInt32LE(0xffff_ffff, 4)
    expect(decodeFrame(bytes, 0)).toBe('damaged')
  })

  it('stays whole when it is given another kind', () => {
    const bytes = frame(KIND.record, 7, Buffer.from('seven'))
    restampFrame(bytes, 0, KIND.recordAfterSync)
    expect(decodeFrame(bytes, 0)).toMatchObject({ kind: KIND.recordAfterSync, sequence: 7 })
  })
})

describe('a file of frames', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 })

  it('yields, for any beginning of it, a beginning of its records', () => {
    fc.assert(
      fc.property(bodies, fc.nat(), (all, where) => {
        const whole = file(all)
        const cut = whole.subarray(0, whole.length === 0 ? 0 : where % (whole.length + 1))
        const found = [...scan(cut, 0, 1)]
        const records = found.filter((one) => one.frame !== undefined)
        expect(records.map((one) => Buffer.from(one.frame?.body ?? []))).toEqual(
          all.slice(0, records.length).map((bytes) => Buffer.from(bytes)),
        )
        expect(found.length - records.length).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('takes no frame after damage for one of its own whose number cannot be there', () => {
    const [one, gone, old, far, three] = [1, 2, 1, 99, 3].map((n) => frame(KIND.record, n, Buffer.from(`${n}`)))
    const bytes = Buffer.concat([one, gone, old, far, three] as Buffer[])
    bytes.fill(0xaa, one?.length, 2 * (one?.length ?? 0))
    const found = [...scan(bytes, 0, 1)]
    expect(found.map((each) => each.frame?.sequence)).toEqual([1, undefined, 3])
    expect(found[1]).toMatchObject({ records: 1 })
  })

  it('gives up only what is damaged: whichever bytes are overwritten, the records elsewhere are found', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        (all, where, garbage) => {
          const whole = file(all)
          const from = where % whole.length
          const hit = Buffer.from(whole)
          hit.set(garbage.subarray(0, Math.min(garbage.length, whole.length - from)), from)
          const expected: number[] = []
          let at = 0
          for (const [i, bytes] of all.entries()) {
            const end = at + FRAME_OVERHEAD + bytes.length
            if (hit.subarray(at, end).equals(whole.subarray(at, end))) expected.push(i + 1)
            at = end
          }
          const found = [...scan(hit, 0, 1)]
          expect(found.flatMap((one) => (one.frame ? [one.frame.sequence] : []))).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })
})
