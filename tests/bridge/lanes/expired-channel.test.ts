import { describe, expect, it, onTestFinished } from 'vitest'
import { type Found, hasExpired } from '../../../bridge/lanes/expired-channel.ts'
import { readChannelStatus } from '../../../bridge/snowpipe/status.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { silentLog } from '../../../src/log.ts'
import { FakeSnowpipe } from '../../support/fake-snowpipe.ts'
import { LaneWorld } from '../../support/lane-world.ts'
import { ledger } from '../../support/ledgers.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { DESTINATION, pipeNamed } from '../../support/pipes.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const PIPE = DESTINATION.pipes[0]

/** Three rows of `pi` are in the table, and an older channel of the same pipe is known. */
async function fleet(): Promise<LaneWorld> {
  const w = new LaneWorld()
  onTestFinished(() => w.close())
  w.snowpipe.createdOnMs = w.clock.now()
  const other = w.spool.device('other')
  other.pipe = PIPE
  other.incarnation = w.snowpipe.channel('other').createdOnMs
  w.clock.stall(2 * HOUR)
  w.snowpipe.createdOnMs = w.clock.now()
  w.take(1, 3)
  await w.run(4_000)
  expect(w.committed()).toEqual([[1, 3]])
  return w
}

/** Time passes in which nothing comes, and then the channel of `pi` is gone. */
function silence(w: LaneWorld, ms: number): void {
  w.clock.stall(ms)
  w.snowpipe.createdOnMs = w.clock.now()
  w.snowpipe.lose('pi')
}

describe('a device that was silent for longer than its channel lives', () => {
  it('goes on with a new channel by itself: nothing twice, nothing lost, and nobody is asked', async () => {
    const w = await fleet()
    silence(w, 31 * DAY)
    // The Pi has not heard of 3, and sends it again.
    w.take(3, 6)
    await w.run(6_000)
    expect(w.fatal).toEqual([])
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 6])
    expect(w.committed()).toEqual([[1, 6]])
    expect(w.unannounced).toEqual([])
    expect(w.rivals).toEqual([])
  })

  it('does so again after the next silence, also when nothing came in between', async () => {
    const w = await fleet()
    silence(w, 31 * DAY)
    await w.run(120_000, 1_000)
    expect(w.lane.state).toBe('ready')
    silence(w, 31 * DAY)
    await w.run(120_000, 1_000)
    w.take(4, 6)
    await w.run(6_000)
    expect(w.fatal).toEqual([])
    expect(w.inTable()).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('is held when the table may have been replaced: no channel of its pipe is the one it was', async () => {
    const w = await fleet()
    w.snowpipe.lose('other')
    silence(w, 31 * DAY)
    w.take(4, 6)
    await w.run(6_000)
    expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
    expect(w.inTable()).toEqual([1, 2, 3])
  })

  it('is held when it was not silent for so long: somebody has dropped the channel', async () => {
    const w = await fleet()
    silence(w, 29 * DAY)
    w.take(4, 6)
    await w.run(6_000)
    expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
  })

  it('is held when rows that wait may have been sent to the channel that is gone', async () => {
    const w = await fleet()
    w.snowpipe.commitDelayMs = 100 * DAY
    w.take(4, 6)
    await w.run(4_000)
    silence(w, 31 * DAY)
    w.take(7, 9)
    await w.run(6_000)
    expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
  })

  it.each([
    ['our disk, an old copy, does not know of', {}],
    ['another bridge has made', { instance: 'oth1' }],
  ])('is held for commits %s: what is retained is read after the channel was opened, not before', async (_what, by) => {
    const before = await fleet()
    const after = new LaneWorld({ before, hearsNoLedgers: true })
    onTestFinished(() => after.close())
    // As the disk of 31 days ago had it.
    const { device, witness } = { device: after.device, witness: after.spool.device('other') }
    witness.pipe = PIPE
    witness.incarnation = before.spool.device('other').incarnation
    const { incarnation, lastCommitAt, trimmed, agreed } = before.device
    Object.assign(device, { incarnation, lastCommitAt, trimmed, agreed, resolved: true })
    device.committed.add('aaaaaaaa', 1, 3)
    device.received.add('aaaaaaaa', 1, 3)
    await before.close()
    const told = before.retained()
    if (told === undefined) throw new Error('no ledger')
    silence(after, 31 * DAY)
    after.leave({ ...told, ...by, last_commit_at: new Date(after.clock.now() - 2 * DAY).toISOString() })
    after.take(4, 6)
    await after.run(6_000)
    expect(after.lane.hold).toMatchObject({ code: 'another_channel' })
    expect(after.inTable()).toEqual([1, 2, 3])
  })

  it('is held when the service cannot be asked for another channel', async () => {
    const w = await fleet()
    silence(w, 31 * DAY)
    w.take(4, 6)
    w.snowpipe.statusFaults.push(...Array.from({ length: 100 }, () => ({ status: 503 })))
    await w.run(6_000)
    expect(w.lane.hold).toMatchObject({ code: 'another_channel' })
  })
})

describe('that a channel has expired', () => {
  const NOW = Date.UTC(2026, 5, 1)

  function question(over: Partial<Found> = {}) {
    const spool = new MemorySpool(Number.POSITIVE_INFINITY, 'own1')
    const snowpipe = new FakeSnowpipe(new ManualClock(NOW))
    const device = spool.device('pi')
    device.lastCommitAt = NOW - 31 * DAY
    device.incarnation = NOW - 60 * DAY
    const witness = spool.device('other')
    witness.pipe = PIPE
    snowpipe.createdOnMs = NOW - 50 * DAY
    witness.incarnation = snowpipe.channel('other').createdOnMs
    const status = readChannelStatus({ channel_status_code: 'SUCCESS', created_on_ms: NOW })
    const path = { pipe: pipeNamed(PIPE), channel: 'pi' }
    const found: Found = { device, path, status, unsettled: false, ledgers: async () => [], ...over }
    const ask = (expiredChannels: 'proved' | 'keep' | 'ask' = 'proved') =>
      hasExpired(found, { log: silentLog(), spool, snowpipe, expiredChannels })
    return { ask, device, witness, snowpipe }
  }

  it('is known from our record and a witness', async () => {
    expect(await question().ask()).toBe(true)
  })

  it('is never said where a person wants to be asked', async () => {
    const { ask, snowpipe } = question()
    expect(await ask('ask')).toBe(false)
    expect(snowpipe.asked).toEqual([])
  })

  it('is said without a witness where the settings say so, but never against our record', async () => {
    const alone = question()
    alone.witness.incarnation = null
    expect(await alone.ask()).toBe(false)
    expect(await alone.ask('keep')).toBe(true)
    alone.device.lastCommitAt = NOW - 29 * DAY
    expect(await alone.ask('keep')).toBe(false)
  })

  it('is not known of a device of which nothing is known', async () => {
    const { ask, device } = question()
    device.lastCommitAt = null
    device.incarnation = null
    expect(await ask('keep')).toBe(false)
  })

  it('counts what another bridge has committed, and rows it has announced', async () => {
    const recent = ledger({ last_commit_at: new Date(NOW - 5 * DAY).toISOString() })
    expect(await question({ ledgers: async () => [recent] }).ask()).toBe(false)
    const run = { ordinal: 1, owner: 'old1', stream: 'aaaaaaaa', first: 1, last: 9 }
    const done = { aaaaaaaa: { spooled: [[1, 9]], committed: [[1, 9]] } } as const
    const open = { aaaaaaaa: { spooled: [[1, 9]], committed: [[1, 7]] } } as const
    expect(await question({ ledgers: async () => [ledger({ runs: [run], streams: done })] }).ask()).toBe(true)
    expect(await question({ ledgers: async () => [ledger({ runs: [run], streams: open })] }).ask()).toBe(false)
  })

  it('is not known while rows of an earlier process wait: it may have sent them', async () => {
    const { ask, device } = question()
    const row = { stream: 'aaaaaaaa', seq: 1, json: Buffer.from('{}'), receivedAt: NOW, arrived: 0 }
    device.accept(device.plan('own1', [row]))
    expect(await ask()).toBe(true)
    device.given = device.newest ?? null
    expect(await ask()).toBe(false)
  })

  it.each([
    ['of another pipe', (one: ReturnType<typeof question>) => Object.assign(one.witness, { pipe: 'ELSEWHERE' })],
    [
      'made after the last row',
      (one: ReturnType<typeof question>) => {
        one.snowpipe.lose('other')
        one.snowpipe.createdOnMs = NOW - 20 * DAY
        one.witness.incarnation = one.snowpipe.channel('other').createdOnMs
      },
    ],
    ['that is another one by now', (one: ReturnType<typeof question>) => one.snowpipe.lose('other')],
    [
      'that is not well',
      (one: ReturnType<typeof question>) => {
        one.snowpipe.channel('other').code = 'ERR_CHANNEL_MUST_BE_REOPENED'
      },
    ],
  ] as const)('is not proved by a channel %s', async (_what, change) => {
    const one = question()
    change(one)
    expect(await one.ask()).toBe(false)
  })
})
