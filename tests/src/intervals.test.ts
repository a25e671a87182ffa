import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Interval, IntervalSet } from '../../src/intervals.ts'

const interval = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 }))
  .map(([n, l]) => [n, n + l] as const)
const intervals = fc.array(interval, { maxLength: 30 })

function members(list: Iterable<Interval>): Set<number> {
  const set = new Set<number>()
  for (const [first, last] of list) for (let n = first; n <= last; n++) set.add(n)
  return set
}

describe('IntervalSet', () => {
  it('holds what a plain set holds, in whatever order the intervals come', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const model = members(list)
        const set = new IntervalSet(list)
        expect(members(set.toJSON())).toEqual(model)
        expect(set.size).toBe(model.size)
        expect(set.max).toBe(model.size === 0 ? undefined : Math.max(...model))
        expect(set.isEmpty).toBe(model.size === 0)
        for (let n = -1; n <= 70; n++) expect(set.has(n)).toBe(model.has(n))
      }),
    )
  })

  it('keeps its intervals sorted, apart, and never touching', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const json = new IntervalSet(list).toJSON()
        for (const [i, [first, last]] of json.entries()) {
          expect(first).toBeLessThanOrEqual(last)
          const next = json[i + 1]
          if (next) expect(next[0]).toBeGreaterThan(last + 1)
        }
      }),
    )
  })

  it('names as holes exactly the numbers of a range that are not members', () => {
    fc.assert(
      fc.property(
        intervals,
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: -1, max: 30 }),
        (list, from, length) => {
          const model = members(list)
          const expected = new Set<number>()
          for (let n = from; n <= from + length; n++) if (!model.has(n)) expected.add(n)
          expect(members(new IntervalSet(list).holes(from, from + length))).toEqual(expected)
        },
      ),
    )
  })

  it('takes in another set whole, and a copy of it goes its own way', () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const set = new IntervalSet(a)
        const copy = set.clone()
        set.addAll(new IntervalSet(b))
        expect(members(set.toJSON())).toEqual(members([...a, ...b]))
        expect(members(copy.toJSON())).toEqual(members(a))
      }),
    )
  })

  it('gives intervals away, not its own insides', () => {
    const set = new IntervalSet([[1, 3]])
    ;(set.toJSON() as [number, number][])[0]?.fill(9)
    expect(set.toJSON()).toEqual([[1, 3]])
  })
})
