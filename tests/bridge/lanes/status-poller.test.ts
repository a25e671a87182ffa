import { describe, expect, it, onTestFinished } from 'vitest'
import type { Lane } from '../../../bridge/lanes/lane.ts'
import { StatusPoller } from '../../../bridge/lanes/status-poller.ts'
import { Trouble } from '../../../bridge/lanes/trouble.ts'
import type { ChannelStatus } from '../../../bridge/snowpipe/status.ts'
import { silentLog } from '../../../src/log.ts'
import { FakeSnowpipe } from '../../support/fake-snowpipe.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { pipeNamed } from '../../support/pipes.ts'

interface StandIn {
  readonly lane: Lane
  readonly heard: [status: ChannelStatus | 'vanished', generation: number][]
  generation: number
}

/** What the poller sees of a lane. */
function standIn(channel: string, pipe = 'P'): StandIn {
  const heard: StandIn['heard'] = []
  const made = {
    heard,
    generation: 1,
    lane: {
      path: { pipe: pipeNamed(pipe), channel },
      get generation() {
        return made.generation
      },
      observe: (status: ChannelStatus, generation: number) => heard.push([status, generation]),
      vanished: (generation: number) => heard.push(['vanished', generation]),
    } as unknown as Lane,
  }
  return made
}

function polled(...waiting: StandIn[]) {
  return polledWith(waiting, [])
}

function polledWith(waiting: StandIn[], idle: StandIn[]) {
  const clock = new ManualClock()
  const snowpipe = new FakeSnowpipe(clock)
  const log = silentLog()
  const trouble = new Trouble(log, clock)
  const told: unknown[] = []
  for (const { lane } of [...waiting, ...idle]) snowpipe.channel(lane.path.channel)
  const lanes = [
    ...waiting.map(({ lane }) => Object.assign(lane, { awaitsCommit: true })),
    ...idle.map(({ lane }) => Object.assign(lane, { idle: true })),
  ]
  const poller = new StatusPoller(1_000, 60_000, {
    clock,
    log,
    snowpipe,
    lanes: () => lanes,
    trouble,
    onMoved: (...moved) => told.push(['moved', ...moved]),
    onRefused: (...refused) => told.push(['refused', ...refused]),
  })
  onTestFinished(() => poller.close())
  return { clock, snowpipe, poller, told, lanes, trouble }
}

describe('the status poller', () => {
  it('asks nothing while nothing waits', async () => {
    const { clock, snowpipe } = polled()
    await clock.advance(60_000)
    expect(snowpipe.asked).toEqual([])
  })

  it('asks each pipe once for all its channels', async () => {
    const lanes = [standIn('a', 'P0'), standIn('b', 'P1'), standIn('c', 'P0')]
    const { clock, snowpipe } = polled(...lanes)
    await clock.advance(1_000)
    expect(snowpipe.asked).toEqual([
      { pipe: 'P0', channels: ['a', 'c'] },
      { pipe: 'P1', channels: ['b'] },
    ])
    expect(lanes.map(({ heard }) => heard.length)).toEqual([1, 1, 1])
  })

  it('asks for at most 200 channels in one request, and for all', async () => {
    const lanes = Array.from({ length: 450 }, (_, i) => standIn(`pi-${i}`))
    const { clock, snowpipe } = polled(...lanes)
    await clock.advance(1_000)
    expect(snowpipe.asked.map(({ channels }) => channels.length)).toEqual([200, 200, 50])
    expect(new Set(snowpipe.asked.flatMap(({ channels }) => channels)).size).toBe(450)
  })

  it('tells each lane the generation it asked for, not the one it has by then', async () => {
    const one = standIn('a')
    const { clock, snowpipe } = polled(one)
    const status = snowpipe.status.bind(snowpipe)
    snowpipe.status = async (...args) => {
      one.generation = 2
      return status(...args)
    }
    await clock.advance(1_000)
    expect(one.heard.map(([, generation]) => generation)).toEqual([1])
  })

  it('tells a lane that its channel is not known any more', async () => {
    const one = standIn('a')
    const { clock, snowpipe } = polled(one)
    snowpipe.lose('a')
    await clock.advance(1_000)
    expect(one.heard).toEqual([['vanished', 1]])
  })

  it('tells nobody anything when the question fails, and asks again', async () => {
    const one = standIn('a')
    const { clock, snowpipe } = polled(one)
    snowpipe.statusFaults.push('lose request', { status: 503 })
    await clock.advance(2_000)
    expect(one.heard).toEqual([])
    await clock.advance(1_000)
    expect(one.heard).toHaveLength(1)
  })

  it('asks again when it was told to, and not before', async () => {
    const { clock, snowpipe } = polled(standIn('a'))
    snowpipe.statusFaults.push({ status: 429, code: '390701', retryAfter: 20 })
    await clock.advance(20_500)
    expect(snowpipe.asked).toHaveLength(1)
    await clock.advance(1_000)
    expect(snowpipe.asked).toHaveLength(2)
  })

  it('asks once a minute what is refused, and says once that the pipe is not to be used, also after a hiccup', async () => {
    const { clock, snowpipe, told } = polled(standIn('a', 'P0'))
    snowpipe.statusFaults.push({ status: 503 }, ...Array(3).fill({ status: 409, code: 'ERR_PIPE_IN_INVALID_STATE' }))
    await clock.advance(125_000)
    expect(snowpipe.asked).toHaveLength(4)
    expect(told).toEqual([['refused', pipeNamed('P0'), 'ERR_PIPE_IN_INVALID_STATE: ERR_PIPE_IN_INVALID_STATE']])
  })

  it('has no trouble any more with a pipe whose last channel is gone, and is told anew of one that comes back', async () => {
    const { clock, lanes, snowpipe, told, trouble } = polled(standIn('a', 'P0'))
    const refusal = { status: 409, code: 'ERR_PIPE_IN_INVALID_STATE' }
    snowpipe.statusFaults.push(refusal, refusal)
    await clock.advance(1_500)
    expect(trouble.codes).toEqual([refusal.code])
    const gone = lanes.splice(0)
    await clock.advance(61_000)
    expect(trouble.codes).toEqual([])
    lanes.push(...gone)
    await clock.advance(2_000)
    expect(told).toHaveLength(2)
    expect(trouble.codes).toEqual([refusal.code])
  })

  it('says that the pipe has moved, and since when at the latest', async () => {
    const { clock, snowpipe, told } = polled(standIn('a', 'P0'))
    snowpipe.statusFaults.push({ status: 410 })
    await clock.advance(1_500)
    expect(told).toEqual([['moved', pipeNamed('P0'), expect.any(Number)]])
  })

  it('asks for a large idle fleet bit by bit, one request a second, each lane about once a minute', async () => {
    const lanes = Array.from({ length: 1_000 }, (_, i) => standIn(`pi-${i}`))
    const { clock, snowpipe } = polledWith([], lanes)
    await clock.advance(40_000)
    expect(snowpipe.asked).toEqual([])
    await clock.advance(20_000)
    expect(snowpipe.asked.map(({ channels }) => channels.length)).toEqual([200, 200, 200, 200, 200])
    expect(lanes.every(({ heard }) => heard.length === 1)).toBe(true)
    await clock.advance(60_000)
    expect(lanes.every(({ heard }) => heard.length >= 2)).toBe(true)
  })

  it('leaves none of a fleet out that it cannot ask for in the time, and fills each request with one pipe', async () => {
    const lanes = Array.from({ length: 18_000 }, (_, i) => standIn(`pi-${i}`, `P${i % 10}`))
    const { clock, snowpipe } = polledWith([], lanes)
    await clock.advance(300_000)
    const heard = lanes.map(({ heard }) => heard.length)
    expect(Math.min(...heard)).toBeGreaterThanOrEqual(1)
    expect(Math.max(...heard) - Math.min(...heard)).toBeLessThanOrEqual(2)
    expect(snowpipe.asked.length).toBeLessThanOrEqual(300)
  })

  it('asks for no lane as idle whose commit it has just asked for', async () => {
    const one = standIn('a')
    const { clock, snowpipe } = polledWith([one], [])
    await clock.advance(30_000)
    Object.assign(one.lane, { awaitsCommit: false, idle: true })
    const asked = snowpipe.asked.length
    await clock.advance(40_000)
    expect(snowpipe.asked.length).toBe(asked)
    await clock.advance(10_000)
    expect(snowpipe.asked.length).toBe(asked + 1)
  })

  it('asks no more once it is closed', async () => {
    const { clock, snowpipe, poller } = polled(standIn('a'))
    await poller.close()
    await clock.advance(10_000)
    expect(snowpipe.asked).toEqual([])
  })
})
