import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emulated } from './harness.ts'

type Row = readonly [stream: string, seq: number, after?: string | undefined, extra?: Readonly<Record<string, unknown>>]

/** What `SENSEHAT_GAPS` shows for readings of one device that reached the bridge in this order. */
async function gapsOf(rows: readonly Row[]): Promise<unknown[]> {
  const { client, clock, emulator } = await emulated()
  const token = (await client.open('pi-1')).json.next_continuation_token
  const lines = rows.map(([stream, seq, after, extra], i) => ({
    uuid: `pi-1-${stream}-${seq}`,
    hostname: 'pi-1',
    stream,
    seq,
    ...(after === undefined ? {} : { after }),
    bridge_received_at: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
    ...extra,
  }))
  await client.append('pi-1', token, lines)
  await clock.advance(1000)
  await client.status(['pi-1'])
  const gaps = await emulator.query(
    'SELECT stream, first_seq, last_seq, missing, declared FROM SENSEHAT_GAPS ORDER BY stream, first_seq',
  )
  return gaps.map((gap) => [gap.stream, gap.first_seq, gap.last_seq, gap.missing, gap.declared ? 'declared' : 'lost'])
}

describe('SENSEHAT_GAPS', () => {
  it('is empty when every reading is there, in any order, twice or once, over restarts of the Pi', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 3],
        ['a', 2],
        ['a', 2],
        ['b', 1, 'a.3'],
        ['b', 2],
        ['c', 1, 'b.2'],
      ]),
    ).toEqual([])
  })

  it('shows a number left out inside a stream', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['a', 5],
        ['a', 7],
      ]),
    ).toEqual([
      ['a', 3, 4, 2, 'lost'],
      ['a', 6, 6, 1, 'lost'],
    ])
  })

  it('knows that the Pi gave them up when the next reading says so', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['a', 5, 'a.2'],
      ]),
    ).toEqual([['a', 3, 4, 2, 'declared']])
  })

  it('knows it from any later reading of the stream', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 4],
        ['a', 5],
        ['a', 6, 'a.1'],
      ]),
    ).toEqual([['a', 2, 3, 2, 'declared']])
  })

  it('does not take an earlier reading for it', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 3, 'a.1'],
        ['a', 5],
      ]),
    ).toEqual([
      ['a', 2, 2, 1, 'declared'],
      ['a', 4, 4, 1, 'lost'],
    ])
  })

  it('parts a gap of which only the end was given up', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 6, 'a.3'],
      ]),
    ).toEqual([
      ['a', 2, 3, 2, 'lost'],
      ['a', 4, 5, 2, 'declared'],
    ])
  })

  it('shows a stream that does not begin with 1, and honours a declaration of the very first reading', async () => {
    expect(
      await gapsOf([
        ['a', 3],
        ['a', 4],
      ]),
    ).toEqual([['a', 1, 2, 2, 'lost']])
    expect(
      await gapsOf([
        ['a', 3, 'a.0'],
        ['a', 4],
      ]),
    ).toEqual([['a', 1, 2, 2, 'declared']])
    expect(
      await gapsOf([
        ['a', 2],
        ['a', 3, 'a.0'],
      ]),
    ).toEqual([['a', 1, 1, 1, 'declared']])
  })

  it('shows the lost end of a stream, which the next one names', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['b', 1, 'a.4'],
      ]),
    ).toEqual([['a', 3, 4, 2, 'lost']])
  })

  it('shows a stream of which nothing arrived', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['c', 1, 'b.3'],
      ]),
    ).toEqual([['b', 1, 3, 3, 'lost']])
  })

  it('does not count what came after a kept reading and was given up before the next start', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['b', 3, 'a.2'],
      ]),
    ).toEqual([['b', 1, 2, 2, 'declared']])
  })

  it('honours a later stream that names a reading before the gap', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 5],
        ['b', 1, 'a.1'],
      ]),
    ).toEqual([['a', 2, 4, 3, 'declared']])
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 5],
        ['b', 1, 'a.3'],
      ]),
    ).toEqual([
      ['a', 2, 3, 2, 'lost'],
      ['a', 4, 4, 1, 'declared'],
    ])
  })

  it('honours a declaration that reaches over a whole stream in between, and over no other', async () => {
    const over = [
      ['a', 1, 'a.0'],
      ['a', 2],
      ['b', 1, 'a.2'],
      ['b', 4],
      ['c', 1, 'b.4'],
      ['c', 2, 'a.2'],
    ] as const
    expect(await gapsOf(over)).toEqual([['b', 2, 3, 2, 'declared']])
    expect(await gapsOf([...over, ['d', 1, 'c.2'], ['d', 3]])).toEqual([
      ['b', 2, 3, 2, 'declared'],
      ['d', 2, 2, 1, 'lost'],
    ])
  })

  it('honours a declaration of everything since the first reading ever, of which nothing is left', async () => {
    expect(
      await gapsOf([
        ['b', 3, 'a.0'],
        ['b', 4],
      ]),
    ).toEqual([['b', 1, 2, 2, 'declared']])
  })

  it('orders streams that came in one message by the time of measuring', async () => {
    const both = '2026-01-01T00:00:00Z'
    const at = (second: number) => ({ bridge_received_at: both, datetimestamp: `2026-01-01T00:00:0${second}Z` })
    expect(
      await gapsOf([
        ['z', 1, 'z.0', at(1)],
        ['y', 1, 'z.1', at(2)],
        ['y', 3, undefined, at(3)],
        ['x', 1, 'z.1', at(4)],
      ]),
    ).toEqual([['y', 2, 2, 1, 'declared']])
  })

  it('counts a replayed dead letter as present: it bears its identity under another stream', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 3],
        ['bridge00', 1, 'bridge00.0', { uuid: 'pi-1-a-2' }],
      ]),
    ).toEqual([])
  })

  it('reads past an `after` that makes no sense, and rows of the first system', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'nonsense'],
        ['a', 2, 'x.y'],
        ['a', 3, ''],
        ['a', 9, 'a.12'],
      ]),
    ).toEqual([['a', 4, 8, 5, 'lost']])
  })

  it('keeps devices apart', async () => {
    expect(
      await gapsOf([
        ['a', 1, 'a.0'],
        ['a', 3],
        ['a', 2, undefined, { hostname: 'pi-2', uuid: 'x' }],
        ['a', 4, 'a.1', { hostname: 'pi-2', uuid: 'y' }],
      ]),
    ).toEqual([
      ['a', 1, 1, 1, 'lost'],
      ['a', 2, 2, 1, 'lost'],
      ['a', 3, 3, 1, 'declared'],
    ])
  })

  it('agrees, reading by reading, with what the words say, for any restarts, losses and declarations', async () => {
    const { client, clock, emulator } = await emulated()
    const lives = fc.sample(life, { numRuns: 400, seed: 20261122 })
    let token = (await client.open('pi-1')).json.next_continuation_token
    for (let i = 0; i < lives.length; i += 100) {
      const lines = lives.slice(i, i + 100).flatMap((each, k) => linesOf(each, `pi-${i + k}`))
      token = (await client.append('pi-1', token, lines)).json.next_continuation_token
    }
    await clock.advance(1000)
    await client.status(['pi-1'])
    const gaps = await emulator.query('SELECT * FROM SENSEHAT_GAPS')
    const shown = gaps.flatMap(({ hostname, stream, first_seq, last_seq, declared }) =>
      Array.from(
        { length: Number(last_seq) - Number(first_seq) + 1 },
        (_, k) => `${hostname}-${stream}-${Number(first_seq) + k} ${declared}`,
      ),
    )
    expect(new Set(shown.map((line) => line.split(' ')[1])).size).toBe(2)
    expect(shown.sort()).toEqual(lives.flatMap((each, i) => missingOf(each, `pi-${i}`)).sort())
  })
})

/** One Pi: its readings in the order they were taken, which of them arrived, and what `after` says. */
interface Taken {
  readonly stream: string
  readonly seq: number
  readonly arrived: boolean
  /** Place of the reading that `after` names, -1 for none before the first. */
  readonly after: number | undefined
}

const life: fc.Arbitrary<readonly Taken[]> = fc
  .array(fc.array(fc.record({ arrived: fc.boolean(), reach: fc.option(fc.nat(12)) }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 5,
  })
  // The order of streams of which nothing arrived cannot be known.
  .map((streams) => streams.filter((readings) => readings.some((reading) => reading.arrived)))
  .map((streams) => {
    const all = streams.flatMap((readings, s) => readings.map((reading, i) => ({ ...reading, s, seq: i + 1 })))
    return all.map(({ arrived, reach, s, seq }, place) => ({
      stream: 'qcnab'[s] ?? '',
      seq,
      arrived,
      after: seq === 1 || reach !== null ? Math.max(-1, place - 1 - (reach ?? 0)) : undefined,
    }))
  })

function linesOf(taken: readonly Taken[], hostname: string): object[] {
  return taken.flatMap(({ stream, seq, arrived, after }, place) => {
    if (!arrived) return []
    const named =
      after === undefined
        ? undefined
        : after < 0
          ? `${taken[0]?.stream}.0`
          : `${taken[after]?.stream}.${taken[after]?.seq}`
    const bridge_received_at = new Date(Date.UTC(2026, 0, 1) + place * 1000).toISOString()
    return [{ uuid: `${hostname}-${stream}-${seq}`, hostname, stream, seq, after: named, bridge_received_at }]
  })
}

/**
 * Missing readings that the rows give away: a later one of the same stream arrived, or another stream names it or one
 * after it. Declared, if any later row names one before it.
 */
function missingOf(taken: readonly Taken[], hostname: string): string[] {
  const rows = taken.map((reading, place) => ({ ...reading, place })).filter((reading) => reading.arrived)
  return taken.flatMap(({ stream, seq, arrived }, place) => {
    const named = (row: Taken) => (row.after === undefined || row.after < 0 ? undefined : taken[row.after])
    const known = rows.some(
      (row) =>
        (row.stream === stream && row.seq > seq) ||
        (row.stream !== stream && named(row)?.stream === stream && (named(row)?.seq ?? 0) >= seq),
    )
    if (arrived || !known) return []
    const declared = rows.some((row) => row.place > place && row.after !== undefined && row.after < place)
    return [`${hostname}-${stream}-${seq} ${declared}`]
  })
}
