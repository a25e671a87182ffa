import { describe, expect, it } from 'vitest'
import { parseLedger, StreamSets } from '../../src/ledger.ts'
import { ledger } from '../support/ledgers.ts'

describe('a ledger from the broker', () => {
  it('comes back as it was written', () => {
    const written = ledger({
      streams: {
        aaaaaaaa: {
          spooled: [[1, 9]],
          committed: [
            [1, 4],
            [6, 6],
          ],
        },
      },
    })
    expect(parseLedger(Buffer.from(JSON.stringify(written)))).toEqual(written)
  })

  it.each([
    '',
    'null',
    'online',
    '[]',
    '{}',
    '{"id":1,"instance":"aaaa","runs":[]}',
    '{"id":1,"instance":"aaaa","runs":[],"streams":{"s":null}}',
    '{"id":1,"instance":"aaaa","runs":[],"streams":{"s":{"spooled":[[1,2]]}}}',
    '{"id":1,"instance":"aaaa","runs":[],"streams":{"s":{"spooled":[[2,1]],"committed":[]}}}',
    '{"id":1,"instance":"aaaa","runs":[],"streams":{"s":{"spooled":[["1",2]],"committed":[]}}}',
    '{"id":"1","instance":"aaaa","runs":[],"streams":{}}',
  ])('is none when it reads %s', (text) => {
    expect(parseLedger(Buffer.from(text))).toBeUndefined()
  })
})

describe('StreamSets', () => {
  it('copies go their own way, and what is added to them is not in the first', () => {
    const sets = new StreamSets()
    sets.add('a', 1, 3)
    const copy = sets.clone()
    copy.add('a', 5)
    copy.add('b', 1)
    expect([sets.has('a', 5), sets.has('b', 1), copy.has('a', 2), copy.has('a', 5)]).toEqual([false, false, true, true])
    expect(sets.streams()).toEqual(['a'])
  })

  it('reads what a ledger lists, spooled or committed', () => {
    const from = ledger({ streams: { a: { spooled: [[1, 5]], committed: [[1, 2]] } } })
    expect(StreamSets.from(from, 'committed').of('a').toJSON()).toEqual([[1, 2]])
    expect(StreamSets.from(from, 'spooled').of('a').toJSON()).toEqual([[1, 5]])
  })
})
