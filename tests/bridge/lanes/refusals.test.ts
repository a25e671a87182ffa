import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkBatchBytes, WIRE_LIMIT } from '../../../bridge/lanes/wire-limit.ts'
import { type Answer, noAnswer } from '../../../bridge/snowpipe/answer.ts'
import { eventually } from '../../support/eventually.ts'
import { LaneWorld, type LaneWorldOptions } from '../../support/lane-world.ts'

function world(options: LaneWorldOptions = {}): LaneWorld {
  const made = new LaneWorld(options)
  onTestFinished(async () => {
    const closing = made.close()
    await made.clock.advance(60_000)
    await closing
  })
  return made
}

/** A reading of a second device. */
function takeOf(w: LaneWorld, hostname: string, seq: number): void {
  const device = w.spool.device(hostname)
  const row = {
    stream: 'aaaaaaaa',
    seq,
    json: Buffer.from(JSON.stringify({ uuid: `${hostname}-aaaaaaaa-${seq}`, stream: 'aaaaaaaa', seq })),
    receivedAt: w.clock.now(),
    arrived: w.clock.monotonic(),
  }
  void w.spool.append([{ device, rows: [row] }])
  w.ledgers.touch(device)
  w.lanes.wake(device)
}

const opensOf = (w: LaneWorld, hostname: string) =>
  w.snowpipe.opens.filter(({ channel }) => channel === hostname).length

describe('what goes over the wire', () => {
  /** Does not get smaller than three quarters of it. */
  const blob = (bytes: number) => ({ blob: randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64') })

  it('is split before it is sent when it would be more than Snowflake takes', async () => {
    const w = world({ batch: { max_bytes: 100_000_000 } })
    w.take(1, 3, 'aaaaaaaa', blob(3_000_000))
    await eventually('the rows are in the table', async () => {
      await w.run(1_000)
      return w.inTable().length === 3
    })
    expect(w.inTable()).toEqual([1, 2, 3])
    expect(w.snowpipe.appends.map(({ body }) => body.length).filter((bytes) => bytes > WIRE_LIMIT)).toEqual([])
    expect(w.refusedRows).toEqual([])
  })

  it('is never one row that is too large: that becomes a dead letter, with the reason in a sentence', async () => {
    const w = world()
    w.take(1)
    w.take(2, 2, 'aaaaaaaa', blob(6_000_000))
    w.take(3)
    await eventually('the other rows are in the table', async () => {
      await w.run(1_000)
      return w.inTable().length === 2
    })
    expect(w.inTable()).toEqual([1, 3])
    expect(w.refusedRows.map(({ row }) => row.token.seq)).toEqual([2])
    expect(w.refusedRows[0]?.reason).toMatch(/^a row of 6\d{6} bytes: .* Snowflake takes 4 MB at a time$/)
    expect(w.committed()).toEqual([[1, 3]])
  })

  it('cannot be configured to be more', () => {
    expect(() => checkBatchBytes(WIRE_LIMIT)).not.toThrow()
    expect(() => checkBatchBytes(5_000_000)).toThrow(
      expect.objectContaining({ code: 'E_CONFIG_INVALID', message: expect.stringContaining('4 MB') }),
    )
  })
})

describe('a pipe that has failed over', () => {
  it('has all its channels opened again, and each once, whoever hears of it first', async () => {
    const w = world()
    for (const [index, hostname] of ['pi-a', 'pi-b', 'pi-c'].entries()) takeOf(w, hostname, index + 1)
    await w.run(3_000)
    w.snowpipe.appendFaults.push({ status: 410 })
    takeOf(w, 'pi-a', 10)
    await w.run(10_000)
    expect(['pi-a', 'pi-b', 'pi-c'].map((hostname) => opensOf(w, hostname))).toEqual([2, 2, 2])
    w.snowpipe.statusFaults.push({ status: 410 })
    takeOf(w, 'pi-b', 11)
    await w.run(10_000)
    expect(['pi-a', 'pi-b', 'pi-c'].map((hostname) => opensOf(w, hostname))).toEqual([3, 3, 3])
    expect(w.snowpipe.table.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual([1, 2, 3, 10, 11])
  })
})

describe('a pipe that the status says is not to be used', () => {
  it('has its channels opened again, which stops them: an append might still be answered with 200', async () => {
    const w = world()
    w.take(1)
    takeOf(w, 'pi-b', 1)
    await w.run(3_000)
    w.snowpipe.commitDelayMs = 5_000
    w.take(2)
    w.snowpipe.statusFaults.push({ status: 409, code: 'ERR_PIPE_IN_INVALID_STATE' })
    w.snowpipe.openFaults.push({ status: 409, code: 'ERR_PIPE_IN_INVALID_STATE' })
    await w.run(5_000)
    expect([...w.lanes].map(({ state }) => state)).toEqual(['blocked', 'blocked'])
    expect(w.lanes.trouble.codes).toEqual(['ERR_PIPE_IN_INVALID_STATE'])
    await w.run(125_000)
    expect(w.lanes.trouble.codes).toEqual([])
    expect(w.inTable()).toEqual([1, 1, 2])
  })
})

describe('a conflict', () => {
  it('makes the lane open its channel anew once; again, it stops and tells, and looks slowly', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.appendFaults.push(...Array(3).fill({ status: 409, code: 'ERR_OF_A_NEW_KIND' }))
    w.take(4, 6)
    await w.run(30_000)
    expect(opensOf(w, 'pi')).toBe(2)
    expect(w.lane.state).toBe('blocked')
    expect(w.lanes.trouble.codes).toEqual(['ERR_OF_A_NEW_KIND'])
    await w.run(150_000)
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 6])
    expect(w.lanes.trouble.codes).toEqual([])
    expect(w.fatal).toEqual([])
  })
})

describe('a channel that is throttled', () => {
  it('is appended to more and more slowly, and faster again when it is taken', async () => {
    const w = world({ batch: { max_rows: 1 } })
    w.take(1)
    await w.run(3_000)
    const sent: number[] = []
    const { onAppend } = w.snowpipe
    w.snowpipe.onAppend = (append) => {
      onAppend(append)
      sent.push(w.clock.monotonic())
    }
    w.snowpipe.appendFaults.push(...Array(4).fill({ status: 429, code: '390701' }))
    w.take(2, 40)
    await w.run(60_000, 10)
    const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0))
    // Four refusals: 110 ms has become 1.76 s.
    expect(gaps[4]).toBeGreaterThan(1_300)
    expect(gaps.slice(5).every((gap, index) => gap <= (gaps[index + 4] ?? 0) + 20)).toBe(true)
    expect(gaps.at(-1)).toBeLessThan(130)
    expect(w.inTable()).toHaveLength(40)
  })
})

describe('what stands in the way of a pipe', () => {
  const NO_GRANT = { status: 403, code: '' }

  it('moves the rows of all its devices aside after ten minutes, of those too that wait while another looks', async () => {
    const w = world()
    const open = w.snowpipe.open.bind(w.snowpipe)
    const noGrant: Answer = { ...noAnswer('no grant'), status: 403 }
    w.snowpipe.open = (path, failOnUncommittedRows) =>
      path.pipe.pipe === 'BAD'
        ? Promise.resolve({ verdict: 'blocked', answer: noGrant })
        : open(path, failOnUncommittedRows)
    const stuck = Array.from({ length: 20 }, (_, i) => w.spool.device(`bad-${i}`))
    for (const device of stuck) {
      device.pipe = 'BAD'
      takeOf(w, device.hostname, 1)
    }
    const well = w.spool.device('well')
    // They were refused before anything was taken of anybody, and mostly not again since.
    await w.run(5_000)
    for (let seq = 1; seq <= 14; seq++) {
      takeOf(w, 'well', seq)
      await w.run(50_000, 5_000)
    }
    expect(stuck.map(({ aside }) => aside)).toEqual(stuck.map(() => true))
    expect(well.aside).toBe(false)
  })

  it('is over, and the operator hears it, though a device must be looked at for another reason now', async () => {
    const w = world()
    w.take(1, 3)
    await w.run(3_000)
    w.snowpipe.takeAway('pi')
    w.snowpipe.openFaults.push(NO_GRANT)
    w.take(4)
    await w.run(3_000)
    expect(w.lanes.trouble.codes).toEqual(['403'])
    w.snowpipe.lose('pi')
    await w.run(130_000)
    expect(w.lane.state).toBe('held')
    expect(w.lanes.trouble.codes).toEqual([])
  })
})

describe('a channel that is throttled for long', () => {
  it('is not opened anew: that would be asking for more', async () => {
    const w = world()
    w.take(1)
    await w.run(3_000)
    w.snowpipe.appendFaults.push(...Array(1_000).fill({ status: 429, code: '390701' }))
    w.take(2, 3)
    await w.run(300_000)
    expect(w.snowpipe.opens).toHaveLength(1)
    w.snowpipe.appendFaults.length = 0
    await w.run(40_000)
    expect(w.inTable()).toEqual([1, 2, 3])
  })
})

describe('an append that has stood at a roadblock for long', () => {
  it('has its minute to find a clear answer from then on', async () => {
    const w = world()
    w.take(1)
    await w.run(3_000)
    w.snowpipe.appendFaults.push(
      { status: 403 },
      { status: 403 },
      { status: 503, code: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST' },
    )
    w.take(2, 3)
    await w.run(200_000)
    expect(w.inTable()).toEqual([1, 2, 3])
    expect(w.snowpipe.opens).toHaveLength(1)
  })
})
