import { describe, expect, it, onTestFinished } from 'vitest'
import { ForgetDevice } from '../../bridge/forget-device.ts'
import { silentLog } from '../../src/log.ts'
import { LaneWorld, type LaneWorldOptions } from '../support/lane-world.ts'

function world(options: LaneWorldOptions = {}): { w: LaneWorld; forgetting: ForgetDevice } {
  const w = new LaneWorld(options)
  onTestFinished(() => w.close())
  return { w, forgetting: new ForgetDevice({ ...w, log: silentLog() }) }
}

const GENTLY = { force: false, channel: false }
const BY_FORCE = { ...GENTLY, force: true }
const LOST = 'lose answer'
const seqs = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Three rows in the table. */
async function committed() {
  const made = world()
  made.w.take(1, 3)
  await made.w.run(4_000)
  expect(made.w.inTable()).toEqual([1, 2, 3])
  return made
}

/** As intake does with what comes of a device. */
function comeBack(w: LaneWorld, first: number, last: number): void {
  w.device.retired = false
  w.take(first, last)
}

describe('a device that is forgotten', () => {
  it('has no lane, is not listed, and no ledger of it goes out any more, at a new connection neither', async () => {
    const { w, forgetting } = await committed()
    const told: string[] = []
    w.events.on('device:forgotten', (hostname) => told.push(hostname))
    expect(await forgetting.forget('pi', GENTLY)).toEqual({ rows_given_up: 0, channel: 'kept' })
    expect(told).toEqual(['pi'])
    expect([...w.spool.devices()]).toEqual([])
    expect([...w.lanes]).toEqual([])
    const said = w.acknowledged.length
    w.ledgers.touch(w.device)
    w.ledgers.connected()
    await w.run(20_000)
    expect(w.acknowledged).toHaveLength(said)
  })

  it('goes on where it was when it comes back: same channel, nothing twice, and nobody is alarmed', async () => {
    const { w, forgetting } = await committed()
    await forgetting.forget('pi', GENTLY)
    w.unretain()
    // The Pi had not heard that 2 and 3 were committed.
    comeBack(w, 2, 6)
    await w.run(6_000)
    expect(w.inTable()).toEqual(seqs(6))
    expect(w.committed()).toEqual([[1, 6]])
    expect(w.retained()?.streams.aaaaaaaa?.committed).toEqual([[1, 6]])
    expect(w.spool.instance).toBe('own1')
    expect(w.unannounced).toEqual([])
    expect(w.fatal).toEqual([])
  })

  it('announces its runs anew before a row of them is sent', async () => {
    const { w, forgetting } = await committed()
    await forgetting.forget('pi', GENTLY)
    w.unretain()
    w.brokerAnswers = false
    comeBack(w, 4, 6)
    await w.run(6_000)
    expect(w.inTable()).toEqual([1, 2, 3])
    w.brokerAnswers = true
    await w.run(6_000)
    expect(w.inTable()).toEqual(seqs(6))
  })

  it('is not forgotten while readings wait, and goes on undisturbed', async () => {
    const { w, forgetting } = await committed()
    w.snowpipe.commitDelayMs = 3_000
    w.take(4, 6)
    await w.run(1_000)
    await expect(forgetting.forget('pi', GENTLY)).rejects.toMatchObject({
      code: 'E_ROWS_WAIT',
      message: '3 readings of pi not in the table yet',
    })
    await w.run(10_000)
    expect(w.inTable()).toEqual(seqs(6))
    expect(w.lane.state).toBe('ready')
  })

  it('by force gives up what waits; what the Pi still holds is taken again when it comes', async () => {
    const { w, forgetting } = await committed()
    w.snowpipe.appendFaults.push({ status: 403, code: 'X' })
    w.take(4, 6)
    await w.run(1_000)
    expect(w.lane.state).toBe('blocked')
    const forgotten = forgetting.forget('pi', BY_FORCE)
    await w.run(1_000)
    expect(await forgotten).toEqual({ rows_given_up: 3, channel: 'kept' })
    expect(w.spool.bytes).toBe(0)
    comeBack(w, 4, 6)
    // The refusal was one of the pipe: it is looked at again a minute after it.
    await w.run(66_000)
    expect(w.inTable()).toEqual(seqs(6))
  })

  it.each<[string, (w: LaneWorld) => void]>([
    ['are appended and not committed yet', ({ snowpipe }) => (snowpipe.commitDelayMs = 5_000)],
    [
      'may have been taken: the answer was lost',
      ({ snowpipe }) => snowpipe.appendFaults.push(LOST, ...Array<'lose request'>(4).fill('lose request')),
    ],
    [
      'were refused after an answer that was lost',
      ({ snowpipe }) => snowpipe.appendFaults.push(LOST, { status: 403, code: 'X' }),
    ],
    [
      'were sent before an opening that is refused',
      ({ snowpipe }) => {
        snowpipe.commitDelayMs = 5_000
        snowpipe.appendFaults.push(LOST, { status: 400, code: 'STALE_CONTINUATION_TOKEN_SEQUENCER' })
        snowpipe.openFaults.push({ status: 403, code: 'X' })
      },
    ],
  ])('by force neither is forgotten while rows of it %s', async (_what, arrange) => {
    const { w, forgetting } = await committed()
    arrange(w)
    w.take(4, 6)
    await w.run(1_000)
    await expect(forgetting.forget('pi', BY_FORCE)).rejects.toMatchObject({
      code: 'E_ROWS_WAIT',
      message: 'readings of pi are with Snowflake, which has not said yet whether they are in the table',
    })
    await w.run(90_000)
    expect(await forgetting.forget('pi', BY_FORCE)).toMatchObject({ rows_given_up: 0 })
    w.unretain()
    comeBack(w, 4, 7)
    await w.run(10_000)
    expect(w.inTable()).toEqual(seqs(7))
    expect(w.spool.instance).toBe('own1')
    expect(w.fatal.filter(({ code }) => code !== 'X')).toEqual([])
  })

  it('is no reason any more to call the bridge unwell', async () => {
    const { w, forgetting } = world()
    w.snowpipe.openFaults.push({ status: 403, code: 'X' })
    w.take(1, 3)
    await w.run(2_000)
    expect(w.lanes.trouble.codes).toEqual(['X'])
    await forgetting.forget('pi', BY_FORCE)
    expect(w.lanes.trouble.codes).toEqual([])
  })

  it('with its channel starts in a new one, and what is in the table is known all the same', async () => {
    const { w, forgetting } = await committed()
    expect(await forgetting.forget('pi', { force: false, channel: true })).toMatchObject({ channel: 'dropped' })
    expect(w.snowpipe.channel('pi').committed).toBeNull()
    w.unretain()
    comeBack(w, 2, 6)
    await w.run(6_000)
    expect(w.lane.state).toBe('ready')
    expect(w.inTable()).toEqual(seqs(6))
    expect(w.fatal).toEqual([])
  })

  it('keeps its channel when Snowflake does not drop it, says so, and drops it when asked again', async () => {
    const { w, forgetting } = await committed()
    w.snowpipe.dropFaults.push({ status: 403, code: 'ERR_ROLE_X' })
    await expect(forgetting.forget('pi', { force: false, channel: true })).rejects.toMatchObject({
      code: 'E_NOT_FORGOTTEN',
    })
    expect([...w.spool.devices()]).toEqual([])
    expect(await forgetting.forget('pi', { force: false, channel: true })).toMatchObject({ channel: 'dropped' })
  })

  it('may leave a channel though nothing is known of it: that can be dropped', async () => {
    const { w, forgetting } = await committed()
    const next = world({ before: w, instance: 'new1' })
    expect(await next.forgetting.forget('pj', GENTLY)).toBeUndefined()
    expect(await next.forgetting.forget('pj', { force: false, channel: true })).toMatchObject({ channel: 'dropped' })
    expect(await forgetting.forget('no/name', { force: false, channel: true })).toBeUndefined()
  })

  it('cannot be forgotten twice', async () => {
    const { forgetting } = await committed()
    await forgetting.forget('pi', GENTLY)
    expect(await forgetting.forget('pi', GENTLY)).toBeUndefined()
  })
})
