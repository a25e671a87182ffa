import { describe, expect, it, onTestFinished } from 'vitest'
import { LaneWorld, type LaneWorldOptions } from '../../support/lane-world.ts'

function world(options: LaneWorldOptions = {}): LaneWorld {
  const made = new LaneWorld(options)
  onTestFinished(async () => {
    const closed = made.close()
    await made.clock.advance(60_000)
    await closed
  })
  return made
}

describe('the counts of a channel', () => {
  it('are compared at a reopen too: rows thrown away just before it never count as committed', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 5_000
    w.snowpipe.appendFaults.push('discard')
    w.take(1, 6)
    await w.run(2_000)
    // The later rows commit, but the lane has to open anew before the poller could compare.
    w.snowpipe.statusFaults.push(...Array<'lose request'>(60).fill('lose request'))
    await w.run(6_000)
    w.snowpipe.takeAway('pi')
    w.take(7, 9)
    await w.run(60_000)
    expect(w.lane.state).toBe('held')
    expect(w.committed()).toEqual([])
    expect(w.device.rows.length).toBe(9)
  })

  it('tell of rejected rows once, also when the channel was opened anew between', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 1_000
    w.snowpipe.rejects = (row) => row.seq === 2
    w.snowpipe.statusFaults.push(...Array<'lose request'>(20).fill('lose request'))
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.takeAway('pi')
    w.take(4, 6)
    await w.run(60_000)
    expect(w.device.counters.rejected).toBe(1)
    expect(w.committed()).toEqual([[1, 6]])
  })
})

describe('an append that is refused', () => {
  it('sets nothing aside when every row is refused alike: they wait until it is over', async () => {
    const w = world()
    w.snowpipe.refuses = () => 400
    w.take(1, 9)
    await w.run(70_000)
    expect(w.refusedRows).toEqual([])
    expect(w.committed()).toEqual([])
    expect(w.device.rows.length).toBe(9)
    w.snowpipe.refuses = () => undefined
    await w.run(70_000)
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it.each([1, 4, 9])('sets the one bad row aside when its neighbours are taken, here number %i of 9', async (bad) => {
    const w = world()
    w.snowpipe.refuses = (rows) => (rows.some((row) => row.seq === bad) ? 400 : undefined)
    w.take(1, 9)
    await w.run(20_000)
    w.take(10, 12)
    // The last one had no neighbour at first: it is tried again after a minute.
    await w.run(70_000)
    expect(w.refusedRows.map(({ row }) => row.token.seq)).toEqual([bad])
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].filter((seq) => seq !== bad))
    expect(w.committed()).toEqual([[1, 12]])
  })
})
