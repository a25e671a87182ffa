import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeFacts, encodeFacts } from '../../../bridge/spool/spool-record.ts'
import { LaneWorld, type LaneWorldOptions } from '../../support/lane-world.ts'
import { ledger } from '../../support/ledgers.ts'

function world(options: LaneWorldOptions = {}): LaneWorld {
  const made = new LaneWorld(options)
  onTestFinished(() => made.close())
  return made
}

const seqs = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const sorted = (w: LaneWorld) => w.inTable().sort((a, b) => a - b)

/** Three rows committed; then the channel is dropped, and three more arrive. */
async function dropped(): Promise<LaneWorld> {
  const w = world()
  w.take(1, 3)
  await w.run(4_000)
  w.snowpipe.lose('pi')
  w.take(4, 6)
  await w.run(4_000)
  expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
  return w
}

async function countsDisagree(fault: 'discard' | 'counted wrong'): Promise<LaneWorld> {
  const w = world()
  w.take(1, 3)
  await w.run(3_000)
  if (fault === 'discard') w.snowpipe.appendFaults.push('discard')
  else w.snowpipe.channel('pi').parsed += 2
  w.take(4, 6)
  await w.run(3_000)
  expect(w.lane.hold).toMatchObject({ code: 'row_counts' })
  return w
}

describe('a lane that is held because the channel is another one', () => {
  it('goes on with the new channel after keep: what was committed counts, what waits is sent, nothing twice', async () => {
    const w = await dropped()
    await w.lanes.decide(w.device, 'keep')
    w.take(7, 9)
    await w.run(5_000)
    expect(w.lane.state).toBe('ready')
    expect(w.inTable()).toEqual(seqs(9))
    expect(w.committed()).toEqual([[1, 9]])
    expect(w.device.rows).toEqual([])
    expect(w.unannounced).toEqual([])
    expect(w.rivals).toEqual([])
  })

  it('sends all it holds after resend, and takes again what a Pi still has', async () => {
    const w = await dropped()
    w.snowpipe.table.length = 0
    await w.lanes.decide(w.device, 'resend')
    await w.run(5_000)
    expect(w.inTable()).toEqual([4, 5, 6])
    expect(w.committed()).toEqual([[4, 6]])
    // The Pi had not heard that 2 and 3 were committed; 1 has left it.
    w.take(2, 3)
    await w.run(5_000)
    expect(sorted(w)).toEqual([2, 3, 4, 5, 6])
    expect(w.committed()).toEqual([[2, 6]])
    expect(w.ledgers.current(w.device).counters).toMatchObject({ undeclared_gaps: 0, declared_gaps: 1 })
  })

  it('claims nothing committed in the ledger after resend before it is in the table again', async () => {
    const w = await dropped()
    w.snowpipe.table.length = 0
    w.snowpipe.commitDelayMs = 60_000
    await w.lanes.decide(w.device, 'resend')
    await w.run(8_000)
    expect(w.retained()?.streams.aaaaaaaa?.committed ?? []).toEqual([])
    expect(w.retained()?.last_commit_at).toBeNull()
  })

  it.each([
    ['keep', [...seqs(9)], [[1, 9]]],
    ['resend', seqs(9), [[1, 9]]],
  ] as const)('found at a take-over is decided as well: %s', async (choice, table, committed) => {
    const old = world()
    old.take(1, 6)
    await old.run(8_000)
    await old.close()
    old.snowpipe.lose('pi')
    if (choice === 'resend') old.snowpipe.table.length = 0
    const w = world({ instance: 'own2', before: old })
    w.take(1, 9)
    await w.run(5_000)
    expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
    await w.lanes.decide(w.device, choice)
    await w.run(8_000)
    expect(w.inTable()).toEqual(table)
    expect(w.retained()?.streams.aaaaaaaa?.committed).toEqual(committed)
    expect(w.unannounced).toEqual([])
  })

  it('is asked for again when the channel is yet another one by then', async () => {
    const w = await dropped()
    w.snowpipe.lose('pi')
    await w.lanes.decide(w.device, 'keep')
    await w.run(5_000)
    expect(w.lane.state).toBe('held')
    expect(w.inTable()).toEqual([1, 2, 3])
    await w.lanes.decide(w.device, 'keep')
    await w.run(5_000)
    expect(w.inTable()).toEqual(seqs(6))
  })
})

describe('a lane that is held because the channel has forgotten', () => {
  it.each(['keep', 'resend'] as const)('goes on after %s', async (choice) => {
    const w = world()
    w.take(1, 3)
    await w.run(4_000)
    w.snowpipe.channel('pi').committed = null
    w.snowpipe.takeAway('pi')
    if (choice === 'resend') w.snowpipe.table.length = 0
    w.take(4, 6)
    await w.run(4_000)
    expect(w.lane.hold).toMatchObject({ code: 'forgotten_channel' })
    await w.lanes.decide(w.device, choice)
    await w.run(5_000)
    expect(w.inTable()).toEqual(choice === 'keep' ? seqs(6) : [4, 5, 6])
    expect(w.lane.state).toBe('ready')
  })
})

describe("a lane that is held because another version's ledger cannot be read", () => {
  it('can only send what it has, and says so', async () => {
    const w = world({ unreadableLedger: true })
    w.take(1, 3)
    await w.run(4_000)
    expect(w.lane.hold).toMatchObject({ code: 'unreadable_ledger' })
    await expect(w.lanes.decide(w.device, 'keep')).rejects.toMatchObject({ code: 'E_NOT_HELD', hint: 'resend' })
    await w.lanes.decide(w.device, 'resend')
    await w.run(5_000)
    expect(w.inTable()).toEqual([1, 2, 3])
  })
})

describe('a lane that is held because row counts disagree', () => {
  it('lets the rows go after keep, sends none of them again, and goes on', async () => {
    const w = await countsDisagree('counted wrong')
    await w.lanes.decide(w.device, 'keep')
    w.take(7, 9)
    await w.run(5_000)
    expect(w.inTable()).toEqual(seqs(9))
    expect(w.committed()).toEqual([[1, 9]])
    expect(w.device.rows).toEqual([])
  })

  it('sends the rows once more after resend: what was thrown away is in the table then', async () => {
    const w = await countsDisagree('discard')
    expect(w.inTable()).toEqual([1, 2, 3])
    await w.lanes.decide(w.device, 'resend')
    w.take(7, 9)
    await w.run(5_000)
    expect(w.inTable()).toEqual(seqs(9))
    expect(w.committed()).toEqual([[1, 9]])
    expect(w.unannounced).toEqual([])
  })

  it('still counts rows Snowflake could not convert after keep', async () => {
    const w = await countsDisagree('counted wrong')
    w.snowpipe.rejects = (row) => row.seq === 8
    await w.lanes.decide(w.device, 'keep')
    w.take(7, 9)
    await w.run(5_000)
    expect(w.device.counters.rejected).toBe(1)
    expect(w.lane.state).toBe('ready')
  })
})

describe('a decision', () => {
  it.each([
    ['keep', dropped],
    ['resend', dropped],
    ['resend', () => countsDisagree('discard')],
  ] as const)('to %s gives rows tokens above all that were used', async (choice, hold) => {
    const w = await hold()
    const ordinals = () => w.snowpipe.appends.map(({ endOffsetToken }) => Number(endOffsetToken.split('.')[0]))
    const used = Math.max(...ordinals())
    const sent = w.snowpipe.appends.length
    await w.lanes.decide(w.device, choice)
    await w.run(5_000)
    expect(w.snowpipe.appends.length).toBeGreaterThan(sent)
    for (const ordinal of ordinals().slice(sent)) expect(ordinal).toBeGreaterThan(used)
  })

  it('is durable before the lane goes on', async () => {
    const w = await dropped()
    const opens = w.snowpipe.opens.length
    let saved: () => void = () => undefined
    w.spool.save = () =>
      new Promise((resolve) => {
        saved = resolve
      })
    const deciding = w.lanes.decide(w.device, 'keep')
    await w.run(2_000)
    expect(w.snowpipe.opens).toHaveLength(opens)
    expect(w.lane.state).toBe('held')
    saved()
    await deciding
    await w.run(4_000)
    expect(w.inTable()).toEqual(seqs(6))
  })

  it('is kept by the spool until it is carried out, and after', async () => {
    const w = await dropped()
    w.snowpipe.openFaults.push(...Array<'lose request'>(20).fill('lose request'))
    await w.lanes.decide(w.device, 'keep')
    const read = () => decodeFacts(encodeFacts(w.device, 0))?.facts.decision
    expect(read()).toMatchObject({ choice: 'keep', code: 'another_channel', carriedOut: false })
    w.snowpipe.openFaults.length = 0
    await w.run(40_000, 500)
    expect(read()).toMatchObject({ choice: 'keep', carriedOut: true })
  })

  it('is refused where nothing is held', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    await expect(w.lanes.decide(w.device, 'keep')).rejects.toMatchObject({ code: 'E_NOT_HELD' })
    await expect(w.lanes.decide(w.spool.device('other'), 'keep')).rejects.toMatchObject({ code: 'E_NOT_HELD' })
  })

  it('of the last hold does not decide the next one', async () => {
    const w = await dropped()
    await w.lanes.decide(w.device, 'keep')
    await w.run(5_000)
    w.snowpipe.lose('pi')
    w.take(7, 9)
    await w.run(5_000)
    expect(w.lane.state).toBe('held')
    expect(w.device.rows).toHaveLength(3)
  })

  it('keep: whatever happened before, nothing comes twice and nothing is missing', { timeout: 60_000 }, async () => {
    const happening = fc.constantFrom<'readings' | 'drop' | 'forget' | 'time' | 'gap' | 'late'>(
      'readings',
      'readings',
      'time',
      'drop',
      'forget',
      'gap',
      'late',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 2, maxLength: 14 }), async (happenings) => {
        const w = new LaneWorld()
        let next = 1
        const late: number[] = []
        const settle = async () => {
          // Long enough for the poller to ask for an idle channel.
          for (let i = 0; i < 3; i++) {
            await w.run(50_000, 2_000)
            const lane = [...w.lanes][0]
            if (lane?.hold !== undefined) expect(lane.hold.code).not.toBe('row_counts')
            if (lane?.state === 'held') await w.lanes.decide(w.device, 'keep')
          }
        }
        try {
          for (const what of happenings) {
            if (what === 'readings') {
              w.take(next, next + 2)
              next += 3
            } else if (what === 'gap') late.push(next++)
            else if (what === 'late') for (const seq of late.splice(0, 1)) w.take(seq)
            else {
              // A person decides when all is known; rows under way at that moment are the one thing nobody can know.
              await settle()
              if (what === 'drop') w.snowpipe.lose('pi')
              if (what === 'forget') {
                w.snowpipe.channel('pi').committed = null
                w.snowpipe.takeAway('pi')
              }
            }
          }
          w.take(next)
          for (const seq of late.splice(0)) w.take(seq)
          await settle()
          await settle()
          expect(sorted(w)).toEqual(seqs(next))
          expect(w.device.rows).toEqual([])
          expect(w.unannounced).toEqual([])
        } finally {
          await w.close()
        }
      }),
      { numRuns: 40 },
    )
  })
})

it('a ledger heard again after resend is not believed again', async () => {
  const w = world()
  const before = ledger({
    id: 7,
    incarnation: 1,
    last_commit_at: '2026-11-22T11:00:00.000Z',
    streams: { aaaaaaaa: { spooled: [[1, 6]], committed: [[1, 6]] } },
  })
  w.leave(before)
  w.take(7, 9)
  await w.run(3_000)
  expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
  w.snowpipe.commitDelayMs = 10_000
  await w.lanes.decide(w.device, 'resend')
  await w.run(5_000)
  expect(w.device.readLedger(before, 'own1')).toBe(false)
  expect(w.committed()).toEqual([])
  await w.run(20_000)
  expect(w.committed()).toEqual([[7, 9]])
  expect(w.ledgers.current(w.device).counters).toMatchObject({ undeclared_gaps: 0, declared_gaps: 6 })
})
