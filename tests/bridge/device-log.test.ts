import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ndjsonOf } from '../../bridge/ndjson.ts'
import { compareTokens, formatToken, type OffsetToken } from '../../bridge/offset-token.ts'
import type { DeviceLog } from '../../bridge/spool/device-log.ts'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import { StreamSets } from '../../src/ledger.ts'

function filled(...seqs: readonly (readonly [stream: string, seq: number])[]): {
  device: DeviceLog
  spool: MemorySpool
} {
  const spool = new MemorySpool(1_000_000, 'own1')
  const device = spool.device('pi')
  void spool.append([
    {
      device,
      rows: seqs.map(([stream, seq]) => ({
        stream,
        seq,
        json: Buffer.from(`{"seq":${seq}}`),
        receivedAt: 0,
        arrived: 0,
      })),
    },
  ])
  return { device, spool }
}

const a = (seq: number) => ['aaaaaaaa', seq] as const
const texts = (device: DeviceLog) => device.rows.map((row) => formatToken(row.token))

describe('the log of a device', () => {
  it('gives each row its token when it comes, and never another', () => {
    const { device } = filled(a(1), a(2), a(5), ['bbbbbbbb', 1], ['bbbbbbbb', 2])
    expect(texts(device)).toEqual([
      '1.own1.aaaaaaaa.1',
      '1.own1.aaaaaaaa.2',
      '2.own1.aaaaaaaa.5',
      '3.own1.bbbbbbbb.1',
      '3.own1.bbbbbbbb.2',
    ])
  })

  it('lets rows go up to a committed token, also one between two rows', () => {
    const { device } = filled(a(1), a(2), a(5), a(6))
    expect(device.trimTo({ ordinal: 2, owner: 'own1', stream: 'aaaaaaaa', seq: 5 })).toBe(3)
    expect(device.rows.map(({ token }) => token.seq)).toEqual([6])
    expect(device.committed.of('aaaaaaaa').toJSON()).toEqual([
      [1, 2],
      [5, 5],
    ])
    expect(device.has('aaaaaaaa', 1)).toBe(true)
  })

  it('keeps what was sent packed, in a fraction of the memory, and gives back the very bytes', () => {
    const spool = new MemorySpool(1_000_000, 'own1')
    const device = spool.device('pi')
    const json = (seq: number) => Buffer.from(JSON.stringify({ uuid: `pi-aaaaaaaa-${seq}`, note: 'ä'.repeat(500) }))
    const rows = Array.from({ length: 20 }, (_, i) => ({
      stream: 'aaaaaaaa',
      seq: i + 1,
      json: json(i + 1),
      receivedAt: i,
      arrived: i,
    }))
    void spool.append([{ device, rows }])
    const usage = { bytes: 0, loaded: 0 }
    const [before, sent] = [[...device.rows], device.rows.slice(0, 15)]
    const body = gzipSync(
      ndjsonOf(
        sent.map((row) => row.json),
        0,
      ),
    )
    const ends = [before[0]?.token, before[14]?.token] as [OffsetToken, OffsetToken]
    device.pack(0, 15, body, ends)
    expect(device.rows.map((row) => ({ ...row, token: row.token, json: String(row.json) }))).toMatchObject(
      before.map((row) => ({ token: row.token, json: String(row.json) })),
    )
    expect(device.bytes).toBe(rows.reduce((sum, row) => sum + row.json.length, 0))
    // The first of them leave; of the others nothing changes.
    device.trimTo({ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq: 7 })
    expect(device.bytes).toBe(rows.slice(7).reduce((sum, row) => sum + row.json.length, 0))
    expect(device.rows.map((row) => String(row.json))).toEqual(rows.slice(7).map((row) => String(row.json)))
    device.unload(usage)
    expect(usage).toEqual({ bytes: device.bytes, loaded: 0 })
    expect(device.rows).toEqual([])
  })

  it('packs nothing when it was other rows that were sent', () => {
    const { device } = filled(a(1), a(2), a(3))
    const [first, , third] = device.rows.map(({ token }) => token) as [OffsetToken, OffsetToken, OffsetToken]
    device.pack(1, 2, gzipSync('other'), [first, third])
    device.pack(1, 3, gzipSync('too many'), [first, third])
    expect(device.rows.map((row) => String(row.json))).toEqual(['{"seq":1}', '{"seq":2}', '{"seq":3}'])
  })

  it('accounts for a row that is set aside, and keeps the others as they are', () => {
    const { device } = filled(a(1), a(2), a(3))
    const [, second] = device.rows
    if (second) device.setAside(second)
    expect(texts(device)).toEqual(['1.own1.aaaaaaaa.1', '1.own1.aaaaaaaa.3'])
    expect(device.committed.has('aaaaaaaa', 2)).toBe(true)
    expect(device.counters.deadLetters).toBe(1)
  })

  it('leaves out at a take-over what is known, keeps the order of the rest, and gives tokens above all that were used', () => {
    const { device } = filled(a(1), a(2), a(3), a(7), ['bbbbbbbb', 1])
    const known = new StreamSets()
    known.add('aaaaaaaa', 1, 2)
    known.add('cccccccc', 1, 9)
    const term = device.term
    device.takeOver('own2', {
      known,
      at: '5.old1.aaaaaaaa.2',
      highestOrdinal: 8,
      incarnation: null,
      agreed: { parsed: 0, errors: 0 },
    })
    expect(texts(device)).toEqual(['9.own2.aaaaaaaa.3', '10.own2.aaaaaaaa.7', '11.own2.bbbbbbbb.1'])
    expect(device.committed.of('cccccccc').toJSON()).toEqual([[1, 9]])
    // Checked before it, written after it: one that the table has, and one that it has not.
    const row = (seq: number) => ({ stream: 'cccccccc', seq, json: Buffer.from('{}'), receivedAt: 0, arrived: 0 })
    expect(device.plan('own2', [row(9), row(10)]).map(({ token }) => token.seq)).toEqual([10])
    expect(device.has('cccccccc', 5)).toBe(true)
    expect(device.term).toBeGreaterThan(term)
    expect(device).toMatchObject({ resolved: true, confirmed: false, trimmed: null, takenOverAt: '5.old1.aaaaaaaa.2' })
  })

  it('gives the first row after a take-over without rows a token above all that were used', () => {
    const { device, spool } = filled()
    device.takeOver('own1', {
      known: new StreamSets(),
      at: null,
      highestOrdinal: 8,
      incarnation: null,
      agreed: { parsed: 0, errors: 0 },
    })
    void spool.append([
      { device, rows: [{ stream: 'aaaaaaaa', seq: 1, json: Buffer.from('{}'), receivedAt: 0, arrived: 0 }] },
    ])
    expect(texts(device)).toEqual(['9.own1.aaaaaaaa.1'])
  })

  it('knows how many bytes it holds, whatever happens to them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('add', 'trim', 'set aside', 'take over'), fc.nat(20)), { maxLength: 40 }),
        (steps) => {
          const { device, spool } = filled()
          let seq = 0
          for (const [what, n] of steps) {
            const row = device.rows[n % Math.max(1, device.rows.length)]
            if (what === 'add')
              void spool.append([
                {
                  device,
                  rows: [
                    { stream: 'aaaaaaaa', seq: ++seq, json: Buffer.from('x'.repeat(n)), receivedAt: 0, arrived: 0 },
                  ],
                },
              ])
            else if (what === 'trim' && row) device.trimTo(row.token)
            else if (what === 'set aside' && row) device.setAside(row)
            else if (what === 'take over') {
              const known = new StreamSets()
              known.add('aaaaaaaa', 1, n + 1)
              device.takeOver('own1', {
                known,
                at: null,
                highestOrdinal: device.tail?.ordinal ?? 0,
                incarnation: null,
                agreed: { parsed: 0, errors: 0 },
              })
            }
            expect(spool.bytes).toBe(device.rows.reduce((sum, one) => sum + one.json.length, 0))
          }
        },
      ),
    )
  })

  it('keeps tokens rising through whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.tuple(fc.constantFrom('aaaaaaaa', 'bbbbbbbb'), fc.integer({ min: 1, max: 30 })),
            fc.integer({ min: 0, max: 50 }),
          ),
        ),
        (steps) => {
          const { device, spool } = filled()
          const before: OffsetToken[] = []
          for (const step of steps) {
            if (typeof step === 'number') {
              const highest = Math.max(0, ...before.map((token) => token.ordinal))
              device.takeOver('own2', {
                known: new StreamSets(),
                at: null,
                highestOrdinal: Math.max(highest, step),
                incarnation: null,
                agreed: { parsed: 0, errors: 0 },
              })
            } else if (!device.has(step[0], step[1])) {
              void spool.append([
                {
                  device,
                  rows: [{ stream: step[0], seq: step[1], json: Buffer.from('{}'), receivedAt: 0, arrived: 0 }],
                },
              ])
              before.push(...device.rows.slice(-1).map((row) => row.token))
            }
            const tokens = device.rows.map((row) => row.token)
            for (const [i, token] of tokens.entries())
              if (i > 0) expect(compareTokens(tokens[i - 1] ?? token, token)).toBeLessThan(0)
          }
        },
      ),
    )
  })
})
