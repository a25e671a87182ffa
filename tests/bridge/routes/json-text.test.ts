import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementsOf, membersOf } from '../../../bridge/routes/json-text.ts'

const space = fc.constantFrom('', ' ', '\n', '\t')

describe('JSON as it was written', () => {
  it('cut at its first level, says the same as JSON.parse of the whole, however it is written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: false }), space, (object, blank) => {
        const members = membersOf(JSON.stringify(object, undefined, blank))
        expect([...members.keys()].sort()).toEqual(Object.keys(object).sort())
        for (const [key, json] of members) {
          expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(object[key])))
          expect(json).not.toMatch(/[\r\n]/)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives each element of an array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), space, (array, blank) => {
        const elements = elementsOf(JSON.stringify(array, undefined, blank))
        expect(elements.map((json) => JSON.parse(json))).toEqual(JSON.parse(JSON.stringify(array)))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps every digit of a number', () => {
    expect(membersOf('{"time": 1700000001005000192, "x": 0.10000000000000000555}')).toEqual(
      new Map([
        ['time', '1700000001005000192'],
        ['x', '0.10000000000000000555'],
      ]),
    )
  })

  it('takes the last of a key that comes twice, as JSON.parse does', () => {
    expect(membersOf('{"a":1,"b":2,"a":3}').get('a')).toBe('3')
  })

  it('is not misled by what stands inside of texts', () => {
    expect(membersOf(String.raw`{"a":"x\\","b\"":"},{:\"","c":[{"d":","}]}`)).toEqual(
      new Map([
        ['a', String.raw`"x\\"`],
        ['b"', String.raw`"},{:\""`],
        ['c', '[{"d":","}]'],
      ]),
    )
  })
})
