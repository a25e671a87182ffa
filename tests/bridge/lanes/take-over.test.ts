import { describe, expect, it, onTestFinished } from 'vitest'
import { knownAtTakeOver } from '../../../bridge/lanes/take-over.ts'
import { parseToken } from '../../../bridge/offset-token.ts'
import type { Ledger } from '../../../src/ledger.ts'
import { LaneWorld, type LaneWorldOptions } from '../../support/lane-world.ts'
import { ledger } from '../../support/ledgers.ts'

const token = (text: string) => parseToken(text) ?? null

function known(
  committed: string | null,
  found: Ledger | null,
): { sets: Record<string, unknown>; highestOrdinal: number } {
  const { known: sets, highestOrdinal } = knownAtTakeOver(
    committed === null ? null : token(committed),
    found === null ? [] : [found],
  )
  return {
    sets: Object.fromEntries([...sets.entries()].map(([stream, set]) => [stream, set.toJSON()])),
    highestOrdinal,
  }
}

describe('what is known to be in the table at a take-over', () => {
  const found = ledger({
    streams: { aaaaaaaa: { spooled: [[1, 40]], committed: [[1, 10]] } },
    runs: [
      { ordinal: 3, owner: 'old1', stream: 'aaaaaaaa', first: 10, last: 20 },
      { ordinal: 4, owner: 'old1', stream: 'bbbbbbbb', first: 1, last: 9 },
      { ordinal: 5, owner: 'old1', stream: 'aaaaaaaa', first: 30, last: 40 },
      { ordinal: 6, owner: 'new1', stream: 'cccccccc', first: 1, last: 5 },
    ],
  })

  it.each<[string, string | null, Ledger | null, Record<string, unknown>, number]>([
    ['is nothing on a new channel', null, null, {}, 0],
    ['is nothing without a ledger, but tokens go above the committed one', '7.old1.aaaaaaaa.9', null, {}, 7],
    ['is what the ledger lists, when the channel has committed nothing', null, found, { aaaaaaaa: [[1, 10]] }, 6],
    [
      'is whole runs below the committed token, and its own up to it',
      '5.old1.aaaaaaaa.33',
      found,
      {
        aaaaaaaa: [
          [1, 20],
          [30, 33],
        ],
        bbbbbbbb: [[1, 9]],
      },
      6,
    ],
    [
      'goes beyond the end the ledger knew of the committed run: a run may go on unannounced',
      '5.old1.aaaaaaaa.60',
      found,
      {
        aaaaaaaa: [
          [1, 20],
          [30, 60],
        ],
        bbbbbbbb: [[1, 9]],
      },
      6,
    ],
    [
      'leaves out runs above the committed token',
      '4.old1.bbbbbbbb.2',
      found,
      { aaaaaaaa: [[1, 20]], bbbbbbbb: [[1, 2]] },
      6,
    ],
    [
      'takes the first row of a run when that is all',
      '5.old1.aaaaaaaa.30',
      found,
      {
        aaaaaaaa: [
          [1, 20],
          [30, 30],
        ],
        bbbbbbbb: [[1, 9]],
      },
      6,
    ],
    ['leaves out runs of other owners', '6.new1.cccccccc.3', found, { aaaaaaaa: [[1, 10]], cccccccc: [[1, 3]] }, 6],
    [
      'is only the list when the token has an owner the ledger does not know',
      '9.xxxx.aaaaaaaa.5',
      found,
      { aaaaaaaa: [[1, 10]] },
      9,
    ],
    [
      'does not run backwards when the token lies before the run',
      '5.old1.aaaaaaaa.25',
      found,
      { aaaaaaaa: [[1, 20]], bbbbbbbb: [[1, 9]] },
      6,
    ],
  ])('%s', (_what, committed, from, sets, highestOrdinal) => {
    expect(known(committed, from)).toEqual({ sets, highestOrdinal })
  })
})

function world(options: LaneWorldOptions = {}): LaneWorld {
  const made = new LaneWorld(options)
  onTestFinished(() => made.close())
  return made
}

const seqs = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

describe('a bridge that takes over a channel', () => {
  it('sends nothing twice that its predecessor has brought into the table, and all else', async () => {
    const old = world()
    old.take(1, 6)
    await old.run(8_000)
    await old.close()
    const w = world({ instance: 'own2', before: old })
    // The Pi sends again what it was not told of.
    w.take(1, 9)
    await w.run(8_000)
    expect(w.inTable()).toEqual(seqs(9))
    expect(w.device.rows).toEqual([])
    expect(w.committed()).toEqual([[1, 9]])
    expect(w.rivals).toEqual([])
  })

  it('knows rows that were committed after the predecessor wrote its last ledger', async () => {
    const old = world()
    old.snowpipe.commitDelayMs = 3_000
    old.take(1, 6)
    await old.run(1_500)
    expect(old.snowpipe.appends).toHaveLength(2)
    await old.close()
    expect(old.retained()?.streams.aaaaaaaa?.committed).toEqual([])
    const w = world({ instance: 'own2', before: old })
    w.take(1, 9)
    await w.run(20_000)
    expect(w.inTable()).toEqual(seqs(9))
    expect(w.committed()).toEqual([[1, 9]])
  })

  it('reads the ledger after the channel is its own: what the predecessor wrote until then counts', async () => {
    const old = world()
    old.snowpipe.commitDelayMs = 6_000
    old.take(1, 3)
    await old.run(1_500)
    const w = world({ instance: 'own2', before: old })
    w.take(1, 6)
    await w.run(2_000)
    // Still waiting for the uncommitted rows; the old bridge announces a new run and appends it.
    old.take(11, 13)
    await old.run(1_500)
    await old.close()
    w.take(11, 13)
    await w.run(30_000)
    expect(w.inTable().sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 11, 12, 13])
  })

  it('gives its rows tokens above all that were ever used', async () => {
    const old = world()
    old.take(1, 3)
    old.take(11, 13)
    await old.run(8_000)
    await old.close()
    const highest = Math.max(...old.acknowledged.flatMap(({ runs }) => runs.map((run) => run.ordinal)))
    const w = world({ instance: 'own2', before: old })
    w.take(14, 16)
    await w.run(8_000)
    const first = w.snowpipe.appends.find((append) => append.startOffsetToken.includes('own2'))
    expect(token(first?.startOffsetToken ?? '')?.ordinal).toBeGreaterThan(highest)
  })

  it('knows its predecessor even when the broker dropped the ledger on its way at the connect', async () => {
    const old = world()
    old.snowpipe.commitDelayMs = 3_000
    old.take(1, 6)
    await old.run(1_500)
    await old.close()
    const w = world({ instance: 'own2', before: old, hearsNoLedgers: true })
    w.take(1, 9)
    await w.run(20_000)
    expect(w.inTable()).toEqual(seqs(9))
  })

  it("repeats its predecessor's words until a token of its own has committed", async () => {
    const old = world()
    old.take(1, 6)
    await old.run(8_000)
    await old.close()
    const w = world({ instance: 'own2', before: old })
    w.snowpipe.commitDelayMs = 5_000
    w.take(7, 9)
    await w.run(3_000)
    const carried = w.acknowledged.at(-1)
    expect(carried?.streams.aaaaaaaa?.committed).toEqual([[1, 6]])
    expect(carried?.runs.some((run) => run.owner === 'own1')).toBe(true)
    expect(carried?.id).toBeGreaterThan(old.acknowledged.at(-1)?.id ?? 0)
    await w.run(20_000)
    expect(w.acknowledged.at(-1)?.runs.some((run) => run.owner === 'own1')).toBe(false)
    expect(w.acknowledged.at(-1)?.streams.aaaaaaaa?.committed).toEqual([[1, 9]])
  })

  it("and is lost before it has committed leaves the next one its predecessor's words", async () => {
    const first = world()
    first.take(1, 6)
    await first.run(8_000)
    await first.close()
    const second = world({ instance: 'own2', before: first })
    second.snowpipe.appendFaults.push(...Array<'lose request'>(99).fill('lose request'))
    second.take(1, 9)
    await second.run(12_000)
    await second.close()
    second.snowpipe.appendFaults.length = 0
    const third = world({ instance: 'own3', before: second })
    third.take(1, 9)
    await third.run(12_000)
    expect(third.inTable()).toEqual(seqs(9))
  })

  it('waits for the broker to say what the ledger is, and sends nothing until then', async () => {
    const w = world()
    w.brokerAnswers = false
    w.take(1, 3)
    await w.run(20_000, 500)
    expect(w.snowpipe.appends).toEqual([])
    w.brokerAnswers = true
    await w.run(5_000)
    expect(w.inTable()).toEqual([1, 2, 3])
    expect(w.unannounced).toEqual([])
  })
})

describe('a channel that is not the one that was known', () => {
  it.each([
    ["was dropped and made anew, as the predecessor's ledger shows", true, false],
    ['has forgotten what it committed, with the same date of making', false, true],
  ])('because it %s holds the device at the take-over', async (_why, dropped, forgot) => {
    const old = world()
    old.take(1, 6)
    await old.run(8_000)
    await old.close()
    if (dropped) old.snowpipe.lose('pi')
    if (forgot) old.snowpipe.channel('pi').committed = null
    const w = world({ instance: 'own2', before: old })
    const sent = w.snowpipe.appends.length
    w.take(1, 9)
    await w.run(10_000)
    expect(w.lane.state).toBe('held')
    expect(w.snowpipe.appends).toHaveLength(sent)
    expect(w.device.rows).toHaveLength(9)
  })

  it.each([
    ['is another', (w: LaneWorld) => w.snowpipe.lose('pi')],
    [
      'has forgotten what it committed',
      (w: LaneWorld) => {
        w.snowpipe.channel('pi').committed = null
        w.snowpipe.takeAway('pi')
      },
    ],
  ])('because it %s at a reopen holds the device: resend or keep is for a person to say', async (_why, happen) => {
    const w = world()
    w.take(1, 3)
    await w.run(4_000)
    happen(w)
    w.take(4, 6)
    await w.run(10_000)
    expect(w.lane.state).toBe('held')
    expect(w.device.rows).toHaveLength(3)
    expect(w.rivals).toEqual([])
    expect(w.inTable()).toEqual([1, 2, 3])
  })

  it('though neither has committed anything holds the device as well: rows may have been in it', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 60_000
    w.take(1, 3)
    await w.run(2_000)
    w.snowpipe.lose('pi')
    await w.run(10_000)
    expect(w.lane.state).toBe('held')
    const other = world({ instance: 'own2' })
    other.leave(ledger({ incarnation: 1 }))
    other.take(1, 3)
    await other.run(5_000)
    expect(other.lane.state).toBe('held')
    expect(other.snowpipe.appends).toEqual([])
  })

  it('by a take-over that has forgotten the token found then holds the device too', async () => {
    const old = world()
    old.take(1, 3)
    await old.run(8_000)
    await old.close()
    const w = world({ instance: 'own2', before: old })
    w.snowpipe.appendFaults.push('lose request')
    w.take(4, 6)
    await w.run(200)
    w.snowpipe.channel('pi').committed = null
    w.snowpipe.takeAway('pi')
    await w.run(10_000)
    expect(w.lane.state).toBe('held')
  })

  it('with a token of another program is taken over and used, and nobody is called a rival', async () => {
    const w = world()
    w.snowpipe.channel('pi').committed = 'batch-0042'
    w.take(1, 3)
    await w.run(10_000)
    w.snowpipe.takeAway('pi')
    w.take(4, 6)
    await w.run(10_000)
    expect(w.rivals).toEqual([])
    expect(w.inTable()).toEqual(seqs(6))
  })

  it('only because a dead letter was its only entry is not held: nothing was ever committed', async () => {
    const w = world()
    w.leave(ledger({ streams: { aaaaaaaa: { spooled: [[1, 1]], committed: [[1, 1]] } } }))
    w.take(2, 4)
    await w.run(10_000)
    expect(w.inTable()).toEqual([2, 3, 4])
  })
})
