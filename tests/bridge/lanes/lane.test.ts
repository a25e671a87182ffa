import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeFacts, encodeFacts, restoreFacts } from '../../../bridge/spool/spool-record.ts'
import { LaneWorld, type LaneWorldOptions } from '../../support/lane-world.ts'
import { pipeNamed } from '../../support/pipes.ts'

function world(options: LaneWorldOptions = {}): LaneWorld {
  const made = new LaneWorld(options)
  onTestFinished(async () => {
    const closing = made.close()
    await made.clock.advance(60_000)
    await closing
  })
  return made
}

const seqs = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

describe('a lane', () => {
  it('brings rows into the table in order, and lets them go when they are committed and counted', async () => {
    const w = world()
    w.take(1, 7)
    await w.run(5_000)
    expect(w.inTable()).toEqual(seqs(7))
    expect(w.device.rows).toEqual([])
    expect(w.committed()).toEqual([[1, 7]])
    expect(w.snowpipe.appends.map(({ rows }) => rows.length)).toEqual([3, 3, 1])
    expect(w.snowpipe.appends.map((a) => [a.startOffsetToken, a.endOffsetToken])).toEqual([
      ['1.own1.aaaaaaaa.1', '1.own1.aaaaaaaa.3'],
      ['1.own1.aaaaaaaa.4', '1.own1.aaaaaaaa.6'],
      ['1.own1.aaaaaaaa.7', '1.own1.aaaaaaaa.7'],
    ])
    expect(w.lane.awaitsCommit).toBe(false)
  })

  it('keeps a row until its commit is known, however long that takes', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 20_000
    w.take(1, 3)
    await w.run(15_000)
    expect(w.snowpipe.appends).toHaveLength(1)
    expect(w.device.rows).toHaveLength(3)
    expect(w.committed()).toEqual([])
    await w.run(10_000)
    expect(w.device.rows).toEqual([])
    expect(w.committed()).toEqual([[1, 3]])
  })

  it('sends on before the first commit, one append at a time', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 20_000
    w.take(1, 12)
    await w.run(3_000)
    expect(w.snowpipe.appends).toHaveLength(4)
    expect(w.snowpipe.mostInFlight).toBe(1)
    expect(w.device.rows).toHaveLength(12)
    await w.run(25_000)
    expect(w.inTable()).toEqual(seqs(12))
  })

  it('has only one append under way, whatever arrives meanwhile', async () => {
    const w = world()
    let release = () => {}
    w.snowpipe.gate = new Promise((resolve) => {
      release = resolve
    })
    w.take(1, 3)
    await w.run(500)
    for (let seq = 4; seq <= 9; seq++) {
      w.take(seq)
      await w.run(100)
    }
    expect(w.snowpipe.appends).toHaveLength(1)
    release()
    await w.run(5_000)
    expect(w.snowpipe.mostInFlight).toBe(1)
    expect(w.inTable()).toEqual(seqs(9))
  })

  it('stops appending when too much is uncommitted, and goes on after a commit', async () => {
    const w = world({ batch: { max_rows: 1 } })
    w.snowpipe.commitDelayMs = 60_000
    w.take(1, 30)
    await w.run(10_000)
    expect(w.snowpipe.appends).toHaveLength(16)
    await w.run(150_000, 1_000)
    expect(w.inTable()).toEqual(seqs(30))
  })

  it('keeps to ten appends a second', async () => {
    const w = world({ batch: { max_rows: 1 } })
    const at: number[] = []
    w.take(1, 10)
    const noted = w.snowpipe.onAppend
    w.snowpipe.onAppend = (append) => {
      at.push(w.clock.monotonic())
      noted(append)
    }
    await w.run(3_000, 10)
    expect(at).toHaveLength(10)
    for (const [i, ms] of at.entries()) if (i > 0) expect(ms - (at[i - 1] ?? 0)).toBeGreaterThanOrEqual(100)
  })

  it('sends its first batch at once, which shows that the way is open', async () => {
    const w = world({ batch: { max_age_ms: 3_600_000, max_rows: 100 } })
    w.take(1)
    await w.run(5_000)
    expect(w.inTable()).toEqual([1])
    w.take(2)
    await w.run(5_000)
    expect(w.inTable()).toEqual([1])
  })

  it('sends what waits at once when it drains, whatever its age', async () => {
    const w = world({ batch: { max_age_ms: 3_600_000, max_rows: 100 } })
    w.take(1, 2)
    await w.run(2_000)
    w.take(3, 4)
    await w.run(2_000)
    expect(w.snowpipe.appends).toHaveLength(1)
    const drained = w.lanes.drain(8_000)
    await w.run(8_000)
    expect(await drained).toBe(true)
    expect(w.inTable()).toEqual([1, 2, 3, 4])
  })

  it('says when a drain was not done in time', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 60_000
    w.take(1, 2)
    const drained = w.lanes.drain(5_000)
    await w.run(6_000)
    expect(await drained).toBe(false)
  })

  it.each([0, 1])('goes on with a limit of %i rows: a batch always has one', async (max_rows) => {
    const w = world({ batch: { max_rows } })
    w.take(1, 2)
    await w.run(3_000)
    expect(w.inTable()).toEqual([1, 2])
  })

  it('puts every row into Snowflake with the time it was frozen, and otherwise as it was spooled', async () => {
    const w = world()
    w.take(1, 1, 'aaaaaaaa', { temperature: 21.5 })
    await w.run(3_000)
    expect(w.snowpipe.table[0]).toMatchObject({ uuid: 'pi-aaaaaaaa-1', temperature: 21.5 })
    expect(w.snowpipe.table[0]?.ingestion_timestamp).toMatch(/^2026-11-22T12:00:0\d\.\d{3}Z$/)
  })
})

describe('an append without a clear answer', () => {
  it.each([
    ['was lost on its way', 'lose request'],
    ['was done, and its answer lost', 'lose answer'],
    ['was answered 500', { status: 500 }],
    ['was answered 503', { status: 503, code: 'ERR_PIPE_NOT_LOCALLY_OWNED_OR_NOT_STARTED' }],
    ['was answered 429', { status: 429, code: '390701' }],
    ['found no route', { status: 404 }],
  ] as const)('that %s is sent again, byte for byte, with the same token and request id', async (_what, fault) => {
    const w = world()
    w.snowpipe.appendFaults.push(fault, fault)
    w.take(1, 3)
    await w.run(1_000)
    w.take(4, 5)
    await w.run(9_000)
    const [first, second, third, next] = w.snowpipe.appends
    for (const again of [second, third])
      expect(again && { ...again, body: again.body.toString('hex') }).toEqual(
        first && { ...first, body: first.body.toString('hex') },
      )
    expect(next?.requestId).not.toBe(first?.requestId)
    expect(w.inTable()).toEqual(seqs(5))
    expect(w.snowpipe.opens).toHaveLength(1)
    expect(w.committed()).toEqual([[1, 5]])
  })

  it('is not repeated before the server wants it, even while readings arrive', async () => {
    const w = world()
    w.snowpipe.appendFaults.push({ status: 429, code: '390701', retryAfter: 20 })
    w.take(1, 3)
    await w.run(500)
    expect(w.snowpipe.appends).toHaveLength(1)
    for (let seq = 4; seq <= 20; seq++) {
      w.take(seq)
      await w.run(1_000)
    }
    expect(w.snowpipe.appends).toHaveLength(1)
    await w.run(10_000)
    expect(w.inTable()).toEqual(seqs(20))
  })

  it('for a minute makes the lane open the channel anew, and nothing comes twice', async () => {
    const w = world()
    const hiccup = { status: 503, code: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST' }
    w.snowpipe.appendFaults.push('lose answer', ...Array<typeof hiccup>(40).fill(hiccup))
    w.take(1, 3)
    await w.run(90_000, 500)
    w.snowpipe.appendFaults.length = 0
    await w.run(10_000, 500)
    expect(w.snowpipe.opens.length).toBeGreaterThan(1)
    expect(w.snowpipe.opens.every((open) => open.failOnUncommittedRows)).toBe(true)
    expect(w.inTable()).toEqual(seqs(3))
    expect(w.committed()).toEqual([[1, 3]])
  })
})

describe('an outage of Snowflake', () => {
  it('makes no lane open its channel anew, however long it takes: nobody would answer that either', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.appendFaults.push('lose answer', ...Array<'lose request'>(200).fill('lose request'))
    w.take(4, 6)
    await w.run(600_000, 1_000)
    w.snowpipe.appendFaults.length = 0
    await w.run(35_000, 500)
    expect(w.snowpipe.opens).toHaveLength(1)
    expect(w.inTable()).toEqual(seqs(6))
  })
})

describe('a channel that is not ours any more', () => {
  it.each([
    ['STALE_CONTINUATION_TOKEN_SEQUENCER', 400],
    ['ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP', 400],
    ['ERR_CHANNEL_SOMETHING_NEW', 400],
    ['ERR_CHANNEL_NO_LONGER_EXISTS', 404],
  ])('(%s) is opened again, and what follows the committed token is sent', async (code, status) => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.appendFaults.push({ status, code })
    w.take(4, 6)
    await w.run(6_000)
    expect(w.snowpipe.opens).toHaveLength(2)
    expect(w.inTable()).toEqual(seqs(6))
    expect(w.refusedRows).toEqual([])
    expect(w.rivals).toEqual([])
  })

  it('is not opened again by a bridge that learns from the broker that another has taken over', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.takeAway('pi')
    w.onLookForRival = () => void w.lanes.close()
    w.take(4, 6)
    await w.run(6_000)
    expect(w.snowpipe.opens).toHaveLength(1)
    expect(w.inTable()).toEqual(seqs(3))
  })

  it('is opened again while rows of it are uncommitted, only after they are, and none comes twice', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 4_000
    w.take(1, 3)
    await w.run(1_000)
    w.snowpipe.takeAway('pi')
    w.take(4, 6)
    await w.run(2_000)
    expect(w.snowpipe.opens.length).toBeGreaterThan(2)
    expect(w.inTable()).toEqual([])
    await w.run(12_000)
    expect(w.snowpipe.opens.every((open) => open.failOnUncommittedRows)).toBe(true)
    expect(w.inTable()).toEqual(seqs(6))
    expect(w.committed()).toEqual([[1, 6]])
  })

  it('is found out by the status poller when nothing is sent', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = 30_000
    w.take(1, 3)
    await w.run(1_000)
    const channel = w.snowpipe.channel('pi')
    channel.pending = []
    channel.code = 'ERR_CHANNEL_MUST_BE_REOPENED'
    w.snowpipe.commitDelayMs = 0
    await w.run(8_000)
    expect(w.snowpipe.opens).toHaveLength(2)
    expect(w.inTable()).toEqual(seqs(3))
  })

  it('is not judged by what was asked before it was opened', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    const { generation } = w.lane
    const broken = { ...(await w.snowpipe.status(pipeNamed('P'), ['pi'])), code: 'ERR_CHANNEL_MUST_BE_REOPENED' }
    w.snowpipe.takeAway('pi')
    w.take(4, 6)
    await w.run(3_000)
    expect(w.lane.generation).toBeGreaterThan(generation)
    const opened = w.snowpipe.opens.length
    const status = broken.verdict === 'ok' ? broken.value.get('pi') : undefined
    if (status) w.lane.observe({ ...status, code: broken.code }, generation)
    w.lane.vanished(generation)
    w.take(7, 9)
    await w.run(3_000)
    expect(w.snowpipe.opens).toHaveLength(opened)
    expect(w.inTable()).toEqual(seqs(9))
  })

  it('is opened anew when nothing is committed for two minutes', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = Number.POSITIVE_INFINITY
    w.take(1, 3)
    await w.run(118_000, 1_000)
    expect(w.snowpipe.opens).toHaveLength(1)
    await w.run(10_000, 1_000)
    expect(w.snowpipe.opens.length).toBeGreaterThan(1)
  })

  it('whose rows stay uncommitted is opened by force in the end: they are all in the spool', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.commitDelayMs = Number.POSITIVE_INFINITY
    w.take(4, 6)
    await w.run(2_000)
    // Only what is there now is stuck for ever.
    w.snowpipe.commitDelayMs = 0
    await w.run(260_000, 1_000)
    expect(w.snowpipe.opens.filter((open) => !open.failOnUncommittedRows)).toHaveLength(1)
    expect(w.inTable()).toEqual(seqs(6))
  })

  it('that has never committed anything is opened by force as well', async () => {
    const w = world()
    w.snowpipe.commitDelayMs = Number.POSITIVE_INFINITY
    w.take(1, 3)
    await w.run(2_000)
    w.snowpipe.commitDelayMs = 0
    await w.run(260_000, 1_000)
    expect(w.snowpipe.opens.filter((open) => !open.failOnUncommittedRows)).toHaveLength(1)
    expect(w.inTable()).toEqual(seqs(3))
  })

  it('and holds rows of somebody else is never opened by force', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    const channel = w.snowpipe.channel('pi')
    channel.committed = '9.them.bbbbbbbb.4'
    channel.pending.push({ rows: [], end: '9.them.bbbbbbbb.9', due: Number.POSITIVE_INFINITY })
    w.snowpipe.takeAway('pi')
    w.take(4, 6)
    await w.run(300_000, 1_000)
    expect(w.snowpipe.opens.length).toBeGreaterThan(100)
    expect(w.snowpipe.opens.every((open) => open.failOnUncommittedRows)).toBe(true)
    expect(w.device.rows).toHaveLength(3)
  })

  it("and bears another bridge's committed token means a rival: the lane holds and sends nothing more", async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.channel('pi').committed = '9.them.bbbbbbbb.4'
    w.snowpipe.takeAway('pi')
    const before = w.snowpipe.appends.length
    w.take(4, 6)
    await w.run(10_000)
    expect(w.rivals).toHaveLength(1)
    expect(w.rivals[0]).toContain('9.them.bbbbbbbb.4')
    expect(w.lane.state).toBe('held')
    expect(w.snowpipe.appends).toHaveLength(before + 1)
    expect(w.device.rows).toHaveLength(3)
  })
})

describe('a channel that is taken away again and again', () => {
  it('is told of once, opened slowly from then on, and in the end everything is in the table once', async () => {
    const w = world()
    for (let seq = 1; seq <= 12; seq++) {
      w.take(seq)
      await w.run(2_500)
      w.snowpipe.takeAway('pi')
    }
    expect(w.lane.contested).toBe(true)
    expect(w.fatal.filter(({ code }) => code === 'duplicate_channel_owner')).toHaveLength(1)
    const opens = w.snowpipe.opens.length
    for (let i = 0; i < 6; i++) {
      w.take(13 + i)
      await w.run(10_000)
      w.snowpipe.takeAway('pi')
    }
    expect(w.snowpipe.opens.length - opens).toBeLessThanOrEqual(2)
    await w.run(400_000, 2_000)
    expect(w.lane.contested).toBe(false)
    expect(w.inTable()).toEqual(seqs(18))
    expect(w.fatal.filter(({ code }) => code === 'duplicate_channel_owner')).toHaveLength(1)
  })

  it('though only five times in a minute is no alarm', async () => {
    const w = world()
    for (let seq = 1; seq <= 6; seq++) {
      w.take(seq)
      await w.run(5_000)
      w.snowpipe.takeAway('pi')
    }
    expect(w.lane.contested).toBe(false)
    expect(w.fatal).toEqual([])
  })
})

describe('an idle channel', () => {
  const idleAfterThree = async () => {
    const w = world()
    w.take(1, 3)
    await w.run(4_000)
    return w
  }

  it.each([
    ['is invalid', (w: LaneWorld) => (w.snowpipe.channel('pi').code = 'ERR_CHANNEL_MUST_BE_REOPENED')],
    [
      'has another client sequencer',
      (w: LaneWorld) => (w.snowpipe.channel('pi').code = 'ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER'),
    ],
  ])('that %s is opened again within a minute, without rows waiting', async (_what, happen) => {
    const w = await idleAfterThree()
    happen(w)
    await w.run(60_000, 1_000)
    expect(w.snowpipe.opens).toHaveLength(2)
    expect(w.lane.state).toBe('ready')
    const appends = w.snowpipe.appends.length
    w.take(4, 6)
    await w.run(3_000)
    expect(w.snowpipe.appends).toHaveLength(appends + 1)
    expect(w.inTable()).toEqual(seqs(6))
  })

  it('that is gone holds the device before the next row comes', async () => {
    const w = await idleAfterThree()
    w.snowpipe.lose('pi')
    await w.run(60_000, 1_000)
    expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
  })

  it("that another bridge's rows were committed to is found out without rows waiting", async () => {
    const w = await idleAfterThree()
    w.snowpipe.channel('pi').committed = '9.them.bbbbbbbb.4'
    await w.run(60_000, 1_000)
    expect(w.rivals).toHaveLength(1)
  })

  it('that is in order is left alone, asked for now and then, and never opened because nothing is committed', async () => {
    const w = await idleAfterThree()
    const asked = w.snowpipe.asked.length
    await w.run(600_000, 5_000)
    expect(w.snowpipe.asked.length - asked).toBeGreaterThanOrEqual(10)
    expect(w.snowpipe.asked.length - asked).toBeLessThanOrEqual(14)
    expect(w.snowpipe.opens).toHaveLength(1)
  })
})

describe('a flush', () => {
  it('sends what waits now, and what comes later waits for its batch again', async () => {
    const w = world({ batch: { max_age_ms: 3_600_000, max_rows: 100 } })
    w.take(1)
    await w.run(2_000)
    w.take(2, 3)
    await w.run(2_000)
    expect(w.inTable()).toEqual([1])
    w.lanes.flush()
    await w.run(2_000)
    expect(w.inTable()).toEqual([1, 2, 3])
    w.take(4)
    await w.run(5_000)
    expect(w.inTable()).toEqual([1, 2, 3])
  })
})

describe('a bug in the lane', () => {
  it('stops it for a while and no longer, though nobody wakes it', async () => {
    const w = world()
    const append = w.snowpipe.append.bind(w.snowpipe)
    let failed = 0
    w.snowpipe.append = (...args) => {
      if (failed++ > 0) return append(...args)
      throw new TypeError('undefined is not a function')
    }
    w.take(1, 3)
    await w.run(5_000)
    expect(failed).toBe(1)
    await w.run(60_000, 1_000)
    expect(w.inTable()).toEqual(seqs(3))
  })
})

describe('row counts', () => {
  it('that disagree hold the device: nothing leaves the spool, nothing is sent again', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    const blocked: string[] = []
    w.events.on('lane:blocked', (_device, code) => blocked.push(code))
    w.snowpipe.appendFaults.push('discard')
    w.take(4, 6)
    await w.run(3_000)
    expect(w.lane.state).toBe('held')
    expect(blocked).toEqual(['row_counts'])
    const sent = w.snowpipe.appends.length
    w.take(7, 20)
    await w.run(300_000, 5_000)
    expect(w.snowpipe.appends).toHaveLength(sent)
    expect(w.device.rows.map((row) => row.token.seq)).toEqual(seqs(20).slice(3))
    expect(w.committed()).toEqual([[1, 3]])
  })

  it('that disagree while a batch is under way stop that as well, and stay held', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.appendFaults.push('discard', { status: 403 }, { status: 403 })
    w.take(4, 9)
    await w.run(2_000)
    await w.run(300_000, 1_000)
    expect(w.lane.state).toBe('held')
    expect(w.snowpipe.appends).toHaveLength(3)
    expect(w.device.rows).toHaveLength(6)
  })

  it('count rows Snowflake could not convert as arrived, and report their growth once', async () => {
    const w = world()
    const rejected: [number, string | null][] = []
    w.events.on('rows:rejected', (_device, rows, message) => rejected.push([rows, message]))
    w.snowpipe.rejects = (row) => row.seq === 2 || row.seq === 5
    w.take(1, 6)
    await w.run(5_000)
    w.take(7, 9)
    await w.run(5_000)
    expect(w.device.rows).toEqual([])
    expect(w.device.counters.rejected).toBe(2)
    expect(rejected.reduce((sum, [rows]) => sum + rows, 0)).toBe(2)
    expect(w.lane.state).toBe('ready')
  })
})

describe('a batch that is refused as a whole', () => {
  it.each([413, 400])('(%i) is halved until the one bad row is alone, which becomes a dead letter', async (status) => {
    const w = world({ batch: { max_rows: 8 } })
    w.snowpipe.refuses = (rows) => (rows.some((row) => row.seq === 6) ? status : undefined)
    w.take(1, 8)
    await w.run(10_000)
    expect(w.refusedRows.map(({ row }) => row.token.seq)).toEqual([6])
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 7, 8])
    expect(w.device.rows).toEqual([])
    // Its publisher may let go of it.
    expect(w.committed()).toEqual([[1, 8]])
    expect(w.device.counters.deadLetters).toBe(1)
  })

  it('lets go of the bad row only when the dead letter is kept', async () => {
    const w = world({ batch: { max_rows: 8 } })
    w.snowpipe.refuses = (rows) => (rows.some((row) => row.seq === 6) ? 400 : undefined)
    let kept = (): void => undefined
    w.keepingRefused = new Promise((resolve) => {
      kept = resolve
    })
    w.take(1, 8)
    await w.run(10_000)
    expect(w.device.rows.map(({ token }) => token.seq)).toContain(6)
    expect(w.committed()).not.toEqual([[1, 8]])
    kept()
    await w.run(10_000)
    expect(w.refusedRows.map(({ row }) => row.token.seq)).toEqual([6])
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 7, 8])
    expect(w.committed()).toEqual([[1, 8]])
  })

  it('makes way for batches of the usual size afterwards', async () => {
    const w = world({ batch: { max_rows: 8 } })
    w.snowpipe.refuses = (rows) => (rows.length > 4 ? 413 : undefined)
    w.take(1, 8)
    await w.run(3_000)
    w.snowpipe.refuses = () => undefined
    w.take(9, 24)
    await w.run(5_000)
    expect(w.snowpipe.appends.map(({ rows }) => rows.length)).toEqual([8, 4, 4, 8, 8])
    expect(w.inTable()).toEqual(seqs(24))
  })
})

describe('a refusal a person must end', () => {
  it.each([
    ['a missing privilege', { status: 403 }, '403'],
    [
      'a pipe that is not there',
      { status: 404, code: 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED' },
      'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ],
    ['a key that is not taken', { status: 401 }, '401'],
  ] as const)('(%s) blocks the lane, which looks again each minute and then goes on', async (_what, fault, code) => {
    const w = world()
    const told: string[] = []
    w.events.on('lane:blocked', (_device, c) => told.push(c))
    w.snowpipe.openFaults.push(fault, fault)
    w.take(1, 3)
    await w.run(90_000, 1_000)
    expect(w.lane.state).toBe('blocked')
    expect(told).toEqual([code, code])
    expect(w.lanes.trouble.codes).toEqual([code])
    expect(w.device.rows).toHaveLength(3)
    await w.run(60_000, 1_000)
    expect(w.inTable()).toEqual(seqs(3))
    expect(w.lanes.trouble.codes).toEqual([])
  })

  it('in the middle of appending keeps the same batch', async () => {
    const w = world()
    w.snowpipe.appendFaults.push({ status: 403 })
    w.take(1, 3)
    await w.run(70_000, 1_000)
    const [first, second] = w.snowpipe.appends
    expect(second?.requestId).toBe(first?.requestId)
    expect(w.inTable()).toEqual(seqs(3))
  })
})

describe('closing a lane', () => {
  it.each(['resting', 'waiting for a batch to be due', 'blocked', 'waiting to try again'])(
    '%s ends it at once',
    async (when) => {
      const w = new LaneWorld()
      if (when === 'blocked') w.snowpipe.openFaults.push({ status: 403 })
      if (when === 'waiting to try again') w.snowpipe.appendFaults.push({ status: 503 }, { status: 503 })
      w.take(1, when === 'waiting for a batch to be due' ? 1 : 3)
      await w.run(when === 'resting' ? 4_000 : 300)
      await w.close()
      expect(w.clock.sleeping).toBe(0)
      const sent = w.snowpipe.appends.length
      w.take(10, 20)
      await w.run(60_000, 1_000)
      expect(w.snowpipe.appends).toHaveLength(sent)
    },
  )

  it('leaves the channel as it is: what was appended commits without us', async () => {
    const w = new LaneWorld()
    w.snowpipe.commitDelayMs = 10_000
    w.take(1, 3)
    await w.run(1_000)
    await w.close()
    await w.run(15_000, 1_000)
    await w.snowpipe.status(pipeNamed('P'), ['pi'])
    expect(w.inTable()).toEqual(seqs(3))
  })
})

describe('a lane whose rows Snowflake does not take', () => {
  it.each([
    ['uncommitted rows of somebody else', { status: 409, code: 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA' }],
    ['a server that fails', { status: 500 }],
  ] as const)('says since when, whatever the reason: %s', async (_, fault) => {
    const w = new LaneWorld()
    onTestFinished(() => w.close())
    w.snowpipe.openFaults.push(...Array<typeof fault>(1_000).fill(fault))
    w.take(1, 3)
    const since = w.clock.monotonic()
    await w.run(5 * 60_000, 5_000)
    expect(w.lane).toMatchObject({ untakenSince: since, takenAt: undefined })
    w.snowpipe.openFaults.length = 0
    await w.run(60_000, 1_000)
    expect(w.lane.untakenSince).toBeUndefined()
    expect(w.lane.takenAt).toBeGreaterThan(since)
  })
})

it('a refused row whose neighbour was sent just before a crash is a dead letter at the next start, and asks nobody', async () => {
  const before = new LaneWorld()
  before.snowpipe.refuses = (rows) => (rows.some(({ seq }) => seq === 2) ? 400 : undefined)
  // It never gets as far as keeping the letter.
  before.keepingRefused = new Promise(() => undefined)
  before.take(1, 4)
  await before.run(10_000)
  const facts = decodeFacts(encodeFacts(before.device, 0))?.facts ?? expect.fail('facts')
  const rows = before.device.rows.map(({ token, json, receivedAt, record }) => ({
    token,
    json,
    receivedAt,
    record,
    arrived: 0,
  }))
  const after = new LaneWorld({ instance: 'own1', before })
  onTestFinished(() => after.close())
  restoreFacts(after.device, facts)
  for (const row of rows) {
    after.device.restore(row)
    after.device.load(row)
  }
  after.device.given = after.device.newest ?? null
  after.ledgers.connected()
  after.lanes.wake(after.device)
  await after.run(10_000)
  expect(after.lane.hold).toBeUndefined()
  expect(after.inTable()).toEqual([1, 3, 4])
  expect(after.device).toMatchObject({ waiting: 0, counters: { deadLetters: 1 } })
})
