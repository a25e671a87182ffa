import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareTokens,
  formatToken,
  nextToken,
  type OffsetToken,
  parseToken,
  sameToken,
} from '../../bridge/offset-token.ts'

const number = fc.oneof(
  fc.integer({ min: 1, max: 1_000 }),
  // Every power of ten and its neighbours: where order as text and order as numbers part.
  fc.tuple(fc.integer({ min: 1, max: 15 }), fc.constantFrom(-1, 0, 1)).map(([p, d]) => Math.max(1, 10 ** p + d)),
  fc.constant(Number.MAX_SAFE_INTEGER),
)
const token: fc.Arbitrary<OffsetToken> = fc.record({
  ordinal: number,
  owner: fc.stringMatching(/^[0-9a-z]{4}$/),
  stream: fc.stringMatching(/^[0-9a-z]{8}$/),
  seq: number,
})

describe('an offset token', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(token, (t) => {
        expect(parseToken(formatToken(t))).toEqual(t)
      }),
    )
  })

  it('is ordered by ordinal, then by seq, as numbers', () => {
    fc.assert(
      fc.property(token, token, (a, b) => {
        const order = BigInt(a.ordinal) - BigInt(b.ordinal) || BigInt(a.seq) - BigInt(b.seq)
        expect(Math.sign(compareTokens(a, b))).toBe(Number(order > 0n) - Number(order < 0n))
      }),
    )
  })

  it.each([
    '',
    '1',
    'batch-7',
    '1.own1.aaaaaaaa',
    '0.own1.aaaaaaaa.1',
    '1.own1.aaaaaaaa.0',
    '01.own1.aaaaaaaa.1',
    '1.OWN1.aaaaaaaa.1',
    '1.own1.aaaaaaaa.1 ',
    '-1.own1.a.1',
    '1.own1.a.1.5',
    '9999999999999999.own1.a.1',
  ])('is not %j: another program has written to the channel', (text) => {
    expect(parseToken(text)).toBeUndefined()
  })

  it('is the same only when all four parts are', () => {
    const one = { ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq: 1 }
    expect(sameToken(one, { ...one })).toBe(true)
    for (const other of [{ ordinal: 2 }, { owner: 'own2' }, { stream: 'bbbbbbbb' }, { seq: 2 }])
      expect(sameToken(one, { ...one, ...other })).toBe(false)
  })
})

describe('the token of the next row', () => {
  const last = { ordinal: 7, owner: 'own1', stream: 'aaaaaaaa', seq: 41 }

  it.each([
    ['begins at 1', null, 'own1', 'aaaaaaaa', 1, 1],
    ['stays in the run for the successor', last, 'own1', 'aaaaaaaa', 42, 7],
    ['begins a run after a gap', last, 'own1', 'aaaaaaaa', 43, 8],
    ['begins a run for a late filler', last, 'own1', 'aaaaaaaa', 40, 8],
    ['begins a run for a new stream', last, 'own1', 'bbbbbbbb', 42, 8],
    ['begins a run for a new owner', last, 'own2', 'aaaaaaaa', 42, 8],
  ] as const)('%s', (_what, before, owner, stream, seq, ordinal) => {
    expect(nextToken(before, owner, stream, seq)).toEqual({ ordinal, owner, stream, seq })
  })

  it('always comes after the one before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('aaaaaaaa', 'bbbbbbbb'), fc.integer({ min: 1, max: 9 }))),
        (rows) => {
          let before: OffsetToken | null = null
          for (const [stream, seq] of rows) {
            const next: OffsetToken = nextToken(before, 'own1', stream, seq)
            if (before !== null) expect(compareTokens(before, next)).toBeLessThan(0)
            before = next
          }
        },
      ),
    )
  })
})
