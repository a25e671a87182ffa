import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { knownAtTakeOver } from '../../../bridge/lanes/take-over.ts'
import { ledgerOf } from '../../../bridge/ledger/ledger-of.ts'
import type { DeviceLog } from '../../../bridge/spool/device-log.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { IntervalSet } from '../../../src/intervals.ts'
import type { Ledger } from '../../../src/ledger.ts'
import { parseLedger, StreamSets } from '../../../src/ledger.ts'
import { ledger } from '../../support/ledgers.ts'

const NOW = Date.UTC(2026, 10, 22, 12)

function device(): { device: DeviceLog; take: (stream: string, ...seqs: number[]) => void } {
  const spool = new MemorySpool(1_000_000, 'own1')
  const one = spool.device('pi')
  one.opened = true
  return {
    device: one,
    take: (stream, ...seqs) =>
      void spool.append([
        {
          device: one,
          rows: seqs.map((seq) => ({ stream, seq, json: Buffer.from('{}'), receivedAt: NOW - 2_340, arrived: 0 })),
        },
      ]),
  }
}

const written = (one: DeviceLog): Ledger => ledgerOf(one, { id: 7, instance: 'own1', now: NOW })

describe('the ledger of a device', () => {
  it('of one that has said nothing is empty', () => {
    expect(written(device().device)).toEqual(ledger({ id: 7, instance: 'own1' }))
  })

  it('lists what is spooled and what is committed, and how far behind the table is', () => {
    const { device: one, take } = device()
    take('aaaaaaaa', 1, 2, 3, 6)
    one.trimTo({ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq: 2 })
    one.lastCommitAt = NOW - 1_000
    expect(written(one)).toMatchObject({
      streams: {
        aaaaaaaa: {
          spooled: [
            [1, 3],
            [6, 6],
          ],
          committed: [[1, 2]],
        },
      },
      lag_rows: 2,
      lag_seconds: 2.3,
      last_commit_at: '2026-11-22T11:59:59.000Z',
    })
  })

  it('repeats what it said before a restart until the channel is open: the disk may know less, and may be lost', () => {
    const { device: one, take } = device()
    one.opened = false
    take('aaaaaaaa', 4, 5)
    const runs = [{ ordinal: 3, owner: 'own1', stream: 'aaaaaaaa', first: 3, last: 9 }]
    const streams = { aaaaaaaa: { spooled: [[1, 9]], committed: [[1, 3]] } } as const
    one.readLedger(
      ledger({ id: 6, runs, streams, instance: 'own1', last_commit_at: '2026-11-22T11:00:00.000Z' }),
      'own1',
    )
    // An echo from the session's queue is older.
    one.readLedger(ledger({ id: 5, instance: 'own1' }), 'own1')
    const before = written(one)
    expect(before.runs).toEqual(runs)
    expect(before.streams.aaaaaaaa?.committed).toEqual([[1, 3]])
    expect(before.last_commit_at).toBe('2026-11-22T11:00:00.000Z')
    one.opened = true
    expect(written(one).runs).toEqual([{ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', first: 4, last: 5 }])
    expect(written(one).streams.aaaaaaaa?.committed).toEqual([])
  })

  it('lists as spooled all that is committed, whatever happened', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('aaaaaaaa', 'bbbbbbbb'), fc.integer({ min: 1, max: 30 })), { maxLength: 40 }),
        fc.nat(40),
        fc.array(fc.integer({ min: 1, max: 30 })),
        (readings, trimAt, carried) => {
          const { device: one, take } = device()
          for (const [stream, seq] of readings) if (!one.has(stream, seq)) take(stream, seq)
          one.predecessor = ledger({
            streams: {
              cccccccc: { spooled: [], committed: new IntervalSet(carried.map((n) => [n, n] as const)).toJSON() },
            },
          })
          const row = one.rows[trimAt]
          if (row) one.trimTo(row.token)
          for (const { spooled, committed } of Object.values(written(one).streams)) {
            const set = new IntervalSet(spooled)
            for (const [first, last] of committed) expect(set.holes(first, last)).toEqual([])
          }
        },
      ),
    )
  })
})

describe('the runs in a ledger', () => {
  it('are those of all rows, and the one of the last committed token, which may go on', () => {
    const { device: one, take } = device()
    take('aaaaaaaa', 1, 2, 3, 7, 8)
    take('bbbbbbbb', 1)
    one.trimTo({ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq: 2 })
    expect(written(one).runs).toEqual([
      { ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', first: 2, last: 3 },
      { ordinal: 2, owner: 'own1', stream: 'aaaaaaaa', first: 7, last: 8 },
      { ordinal: 3, owner: 'own1', stream: 'bbbbbbbb', first: 1, last: 1 },
    ])
    one.trimTo({ ordinal: 3, owner: 'own1', stream: 'bbbbbbbb', seq: 1 })
    expect(written(one).runs).toEqual([{ ordinal: 3, owner: 'own1', stream: 'bbbbbbbb', first: 1, last: 1 }])
  })

  it('are none of ours before the channel was opened: its tokens are not final', () => {
    const { device: one, take } = device()
    one.opened = false
    take('aaaaaaaa', 1, 2)
    expect(written(one)).toMatchObject({ runs: [], streams: { aaaaaaaa: { spooled: [[1, 2]] } } })
  })

  it('are no old ones of ours that another bridge has repeated: with the first new token they would all count as committed', () => {
    const { device: one, take } = device()
    take('aaaaaaaa', ...Array.from({ length: 96 }, (_, i) => i + 15))
    const old = { ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', first: 15, last: 110 }
    const others = { ordinal: 2, owner: 'oth2', stream: 'aaaaaaaa', first: 111, last: 119 }
    one.readLedger(ledger({ id: 9, instance: 'oth2', runs: [old, others] }), 'own1')
    const agreed = { parsed: 0, errors: 0 }
    one.takeOver('own1', { known: new StreamSets(), at: null, highestOrdinal: 2, incarnation: null, agreed })
    one.opened = true
    expect(written(one).runs.map(({ ordinal, owner }) => `${ordinal} ${owner}`)).toEqual(['3 own1', '2 oth2'])
    const committed = { ordinal: 3, owner: 'own1', stream: 'aaaaaaaa', seq: 34 }
    expect(
      knownAtTakeOver(committed, [written(one)])
        .known.of('aaaaaaaa')
        .toJSON(),
    ).toEqual([[15, 34]])
  })

  it("are the predecessor's as well, until a token of ours has committed", () => {
    const { device: one, take } = device()
    const theirs = { ordinal: 4, owner: 'old1', stream: 'aaaaaaaa', first: 1, last: 9 }
    one.predecessor = ledger({
      incarnation: 99,
      runs: [theirs],
      streams: { aaaaaaaa: { spooled: [[1, 9]], committed: [[1, 5]] } },
      last_commit_at: '2026-11-22T11:00:00.000Z',
    })
    one.takeOver('own1', {
      known: new StreamSets(),
      at: '4.old1.aaaaaaaa.5',
      highestOrdinal: 4,
      incarnation: null,
      agreed: { parsed: 0, errors: 0 },
    })
    take('aaaaaaaa', 10)
    expect(written(one)).toMatchObject({
      incarnation: 99,
      runs: [{ ordinal: 5, owner: 'own1', stream: 'aaaaaaaa', first: 10, last: 10 }, theirs],
      streams: {
        aaaaaaaa: {
          spooled: [
            [1, 5],
            [10, 10],
          ],
          committed: [[1, 5]],
        },
      },
      last_commit_at: '2026-11-22T11:00:00.000Z',
    })
    one.trimTo({ ordinal: 5, owner: 'own1', stream: 'aaaaaaaa', seq: 10 })
    expect(written(one).runs.map((run) => run.owner)).toEqual(['own1'])
  })
})

describe('gaps in a ledger', () => {
  it('are declared or not: only what a publisher has given up is declared', () => {
    const { device: one, take } = device()
    take('aaaaaaaa', 3, 4, 10)
    one.declared.add('aaaaaaaa', 1, 2)
    one.declared.add('aaaaaaaa', 5, 6)
    expect(written(one).counters).toMatchObject({ declared_gaps: 4, undeclared_gaps: 3 })
  })

  it('end when a reading comes after all, declared or not', () => {
    const { device: one, take } = device()
    take('aaaaaaaa', 1, 5)
    one.declared.add('aaaaaaaa', 2, 3)
    take('aaaaaaaa', 2, 4)
    expect(written(one).counters).toMatchObject({ declared_gaps: 1, undeclared_gaps: 0 })
  })
})

describe('gaps at a take-over on a new spool', () => {
  const left = () => {
    const { device: one, take } = device()
    take('aaaaaaaa', 1, 2, 5, 6, 9)
    one.declared.add('aaaaaaaa', 3, 4)
    const newest = one.newest
    if (newest !== undefined) one.trimTo(newest)
    const theirs = parseLedger(Buffer.from(JSON.stringify({ ...written(one), instance: 'old1' })))
    if (theirs === undefined) throw new Error('a ledger must be one')
    return theirs
  }
  const GAPS = { declared_gaps: 2, undeclared_gaps: 2 }

  it('are those of the predecessor from the first ledger on: what was given up is not missing, what is missing stays so', () => {
    const theirs = left()
    expect(theirs.counters).toMatchObject(GAPS)
    expect(theirs.streams.aaaaaaaa?.declared).toEqual([[3, 4]])
    const { device: one, take } = device()
    one.opened = false
    one.readLedger(theirs, 'own1')
    expect(written(one).counters).toMatchObject(GAPS)
    const found = knownAtTakeOver(null, [theirs])
    one.takeOver('own1', { ...found, at: null, incarnation: null, agreed: { parsed: 0, errors: 0 } })
    one.opened = true
    take('aaaaaaaa', 10)
    expect(written(one).counters).toMatchObject(GAPS)
    const newest = one.newest
    if (newest !== undefined) one.trimTo(newest)
    // The predecessor's ledger stands no more: this spool knows it all.
    expect(written(one).counters).toMatchObject(GAPS)
    expect(written(one).streams.aaaaaaaa?.declared).toEqual([[3, 4]])
  })

  it('by a bridge that did not say what was given up are all missing', () => {
    const theirs = left()
    const streams = Object.fromEntries(
      Object.entries(theirs.streams).map(([name, { spooled, committed }]) => [name, { spooled, committed }]),
    )
    const older = parseLedger(Buffer.from(JSON.stringify({ ...theirs, streams })))
    const { device: one } = device()
    one.readLedger(older ?? null, 'own1')
    expect(written(one).counters).toMatchObject({ declared_gaps: 0, undeclared_gaps: 4 })
  })

  it('are not read from a ledger whose intervals are none', () => {
    const streams = { aaaaaaaa: { spooled: [], committed: [], declared: [[4, 3]] } }
    expect(parseLedger(Buffer.from(JSON.stringify(ledger({ streams: streams as never }))))).toBeUndefined()
  })
})

describe('streams in a ledger', () => {
  it('are those not wholly committed, and the last 64 others', () => {
    const { device: one, take } = device()
    const names = Array.from({ length: 70 }, (_, i) => `s${String(i).padStart(7, '0')}`)
    for (const name of names) take(name, 1)
    const last = one.rows.at(-1)?.token
    if (last) one.trimTo(last)
    take('ssss0000', 1)
    const listed = Object.keys(written(one).streams)
    // The newest wholly committed one is the run of the last committed token: listed besides the 64.
    expect(listed).toEqual([...names.slice(5), 'ssss0000'])
  })

  it('are never forgotten while a reading of theirs is not committed', () => {
    const { device: one, take } = device()
    take('aaaaaaaa', 1)
    for (let i = 0; i < 100; i++) {
      const name = `s${String(i).padStart(7, '0')}`
      one.received.add(name, 1)
      one.committed.add(name, 1)
    }
    expect(Object.keys(written(one).streams)).toHaveLength(65)
    expect(written(one).streams).toHaveProperty('aaaaaaaa')
  })
})
