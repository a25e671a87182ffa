import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareTokens, nextToken, type OffsetToken, sameToken } from '../../../bridge/offset-token.ts'
import { type Span, Spans } from '../../../bridge/spool/spans.ts'
import { StreamSets } from '../../../src/ledger.ts'

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('push' as const), stream: fc.nat(1), gap: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const), at: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), at: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retoken' as const), known: fc.array(fc.nat(12)) }) },
)

describe('the tokens of waiting rows', () => {
  it('are what a plain list of them would be, whatever comes, leaves and is given new tokens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const spans = new Spans()
        let plain: OffsetToken[] = []
        let last: OffsetToken | null = null
        const seqs = [0, 0]
        const removed: OffsetToken[] = []
        for (const one of steps) {
          if (one.do === 'push') {
            seqs[one.stream] = (seqs[one.stream] ?? 0) + 1 + one.gap
            last = nextToken(last, 'own1', `stream${one.stream}a`, seqs[one.stream] as number)
            spans.push(last, 7)
            plain.push(last)
          } else if (one.do === 'trim') {
            // Of one that has left out of the middle as well: a committed token may name any row.
            const at = plain[one.at] ?? removed[one.at]
            if (at === undefined) continue
            const gone = plain.filter((token) => compareTokens(token, at) <= 0)
            expect(spans.countTo(at)).toBe(gone.length)
            expect(tokensOf(spans.trimTo(at))).toEqual(gone)
            plain = plain.slice(gone.length)
          } else if (one.do === 'remove') {
            const [token] = plain.splice(one.at, 1)
            if (token === undefined) continue
            spans.remove(token)
            removed.push(token)
          } else {
            const known = new StreamSets()
            for (const at of one.known) {
              const token = plain[at]
              if (token !== undefined) known.add(token.stream, token.seq)
            }
            spans.retoken(known, 3, 'own2')
            plain = plain
              .filter(({ stream, seq }) => !known.has(stream, seq))
              .map((token) => ({ ...token, ordinal: token.ordinal + 3, owner: 'own2' }))
            const highest: number = (last as OffsetToken | null)?.ordinal ?? 0
            last = { ordinal: highest + 3, owner: '', stream: '', seq: 0 }
          }
          expect(tokensOf(spans)).toEqual(plain)
          expect(spans.rows).toBe(plain.length)
          expect(spans.last).toEqual(plain.at(-1))
          for (const token of [...plain, ...removed])
            expect(spans.has(token)).toBe(plain.some((other) => sameToken(other, token)))
        }
      }),
    )
  })

  it('are few for a backlog of a million rows', () => {
    const spans = new Spans()
    for (let seq = 1; seq <= 1_000_000; seq++) spans.push({ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq }, 0)
    expect([...spans]).toHaveLength(1)
    expect(spans.countTo({ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq: 999_999 })).toBe(999_999)
  })
})

function tokensOf(spans: Iterable<Span>): OffsetToken[] {
  return [...spans].flatMap(({ ordinal, owner, stream, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => ({ ordinal, owner, stream, seq: first + i })),
  )
}
