import { describe, expect, it } from 'vitest'
import type { Call } from '../../../bridge/lanes/roadblock.ts'
import { Roadblocks } from '../../../bridge/lanes/roadblocks.ts'
import { noAnswer } from '../../../bridge/snowpipe/answer.ts'
import type { Concern } from '../../../bridge/snowpipe/verdict.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { pipeNamed } from '../../support/pipes.ts'

const LOOK_MS = 60_000
const REFUSAL = { ...noAnswer('no grant'), status: 403 }

interface Options {
  readonly concern?: Concern
  readonly operation?: Call['operation']
  readonly pipe?: string
}

/** What a call meets: a refusal, of the concern that is its own; one of this concern; nothing that is clear; or its way is free. */
type Met = boolean | Concern | 'no answer'

/** Devices that append for ever, one call every second, as lanes do. */
function world(refuses: (call: Call) => Met) {
  const clock = new ManualClock()
  const roadblocks = new Roadblocks(LOOK_MS, clock)
  const stop = new AbortController()
  const calls: Call[] = []
  const served = new Map<string, number>()
  const device = async (name: string, options: Options = {}, signal = stop.signal) => {
    const { concern = 'pipe', operation = 'append', pipe = 'P0' } = options
    const call: Call = { device: name, pipe: pipeNamed(pipe), operation }
    while (!signal.aborted) {
      await roadblocks.wait(call, signal)
      if (signal.aborted) return
      calls.push(call)
      const met = refuses(call)
      if (met !== false && met !== 'no answer') {
        await roadblocks.refused(call, met === true ? concern : met, REFUSAL, signal)
        continue
      }
      if (met === false) {
        roadblocks.passed(call)
        served.set(name, (served.get(name) ?? 0) + 1)
      }
      await clock.sleep(1_000, signal).catch(() => undefined)
    }
    roadblocks.left(name, call.pipe)
  }
  return { clock, roadblocks, calls, served, device, stop }
}

/** Of two that were refused the first leaves, a second later. */
async function oneLeaves(w: ReturnType<typeof world>): Promise<void> {
  const gone = new AbortController()
  void w.device('pi-gone', {}, gone.signal)
  await settled()
  void w.device('pi-left')
  await w.clock.advance(1_000)
  gone.abort()
}

describe('what a person must mend', () => {
  it('stops a whole fleet: one looks each minute, and when it gets through all go on at once', async () => {
    let isBroken = true
    const w = world(() => isBroken)
    void w.device('pi-0')
    await settled()
    for (let i = 1; i < 200; i++) void w.device(`pi-${i}`)
    await w.clock.advance(5 * LOOK_MS + 500)
    expect(w.calls.length).toBe(1 + 5)
    expect(w.clock.sleeping).toBe(1)
    isBroken = false
    await w.clock.advance(LOOK_MS)
    expect(w.served.size).toBe(200)
    w.stop.abort()
  })

  it('of a pipe leaves the other pipes alone, of the account none', async () => {
    const w = world(({ pipe }) => pipe.pipe === 'P0')
    void w.device('pi-a', { concern: 'pipe' })
    void w.device('pi-b', { pipe: 'P1' })
    await w.clock.advance(10_000)
    expect(w.served.get('pi-b')).toBeGreaterThan(5)
    w.stop.abort()
    const v = world(({ pipe }) => pipe.pipe === 'P0')
    void v.device('pi-a', { concern: 'account' })
    await settled()
    void v.device('pi-b', { pipe: 'P1' })
    await v.clock.advance(10_000)
    expect(v.served.get('pi-b')).toBeUndefined()
    v.stop.abort()
  })

  it('about openings lets go on what is open', async () => {
    const w = world(({ operation }) => operation === 'open')
    void w.device('pi-new', { concern: 'openings', operation: 'open' })
    await settled()
    void w.device('pi-newer', { concern: 'openings', operation: 'open' })
    void w.device('pi-old')
    await w.clock.advance(LOOK_MS - 1_000)
    expect(w.served.get('pi-old')).toBeGreaterThan(50)
    expect(w.calls.filter(({ operation }) => operation === 'open')).toHaveLength(1)
    w.stop.abort()
  })

  it('is looked for with an open when opens were refused: an append to a pipe that is gone may seem to be taken', async () => {
    const w = world(({ operation }) => operation === 'open')
    void w.device('pi-a', { operation: 'open' })
    await settled()
    void w.device('pi-b')
    await w.clock.advance(10 * LOOK_MS)
    expect(w.served.get('pi-b')).toBeUndefined()
    w.stop.abort()
  })

  it('and hits one device only is its own matter once another has got through', async () => {
    const w = world(({ device }) => device === 'pi-bad')
    void w.device('pi-bad')
    await settled()
    for (const name of ['pi-a', 'pi-b', 'pi-c']) void w.device(name)
    await w.clock.advance(LOOK_MS + 1_000)
    const before = w.served.get('pi-a') ?? 0
    expect(before).toBeGreaterThan(0)
    await w.clock.advance(3 * LOOK_MS)
    expect((w.served.get('pi-a') ?? 0) - before).toBeGreaterThan(170)
    w.stop.abort()
  })

  it('is looked at by another when the one whose turn it was has gone', async () => {
    const w = world(() => true)
    await oneLeaves(w)
    await w.clock.advance(2 * LOOK_MS)
    expect(w.calls.filter(({ device }) => device === 'pi-left').length).toBeGreaterThanOrEqual(1)
    w.stop.abort()
  })

  it('is looked at by others too when who looks has a trouble of its own, known already', async () => {
    let isBroken = false
    const w = world(({ device }) => device === 'pi-bad' || isBroken)
    void w.device('pi-bad')
    await settled()
    void w.device('pi-a')
    await w.clock.advance(2 * LOOK_MS)
    expect(w.served.get('pi-a')).toBeGreaterThan(50)
    isBroken = true
    await w.clock.advance(10 * LOOK_MS)
    isBroken = false
    const before = w.served.get('pi-a') ?? 0
    await w.clock.advance(3 * LOOK_MS)
    expect((w.served.get('pi-a') ?? 0) - before).toBeGreaterThan(50)
    w.stop.abort()
  })

  it.each([
    ['account', 'pipe'],
    ['account', 'channel'],
    ['pipe', 'openings'],
    ['pipe', 'channel'],
  ] as const)('of the %s is over when who looks is refused because of its %s', async (wide, narrow) => {
    let isBroken = true
    const w = world(({ device }) => (isBroken ? wide : device === 'pi-first' && narrow))
    void w.device('pi-first', { operation: 'open' })
    await settled()
    const pipe = wide === 'account' ? 'P1' : 'P0'
    await w.clock.advance(LOOK_MS / 2)
    isBroken = false
    await w.clock.advance(LOOK_MS / 2 - 1_000)
    // It comes so late that the other one looks.
    void w.device('pi-other', { pipe })
    await w.clock.advance(LOOK_MS)
    expect(w.served.get('pi-other')).toBeGreaterThan(30)
    w.stop.abort()
  })

  it('is looked at by another as well when who looks has no clear answer, however often it asks', async () => {
    let isBroken = true
    const w = world(({ device }) => (isBroken ? true : device === 'pi-mute' && 'no answer'))
    void w.device('pi-refused')
    await settled()
    // Was not refused itself, so it looks first.
    void w.device('pi-mute')
    isBroken = false
    await w.clock.advance(4 * LOOK_MS)
    expect(w.served.get('pi-refused')).toBeGreaterThan(100)
    w.stop.abort()
  })

  it('is forgotten of a device that leaves: should it come back it is one like any other', async () => {
    let isBroken = true
    const w = world(() => isBroken)
    await oneLeaves(w)
    await w.clock.advance(LOOK_MS)
    isBroken = false
    await w.clock.advance(2 * LOOK_MS)
    isBroken = true
    const before = w.calls.length
    void w.device('pi-gone')
    await w.clock.advance(LOOK_MS / 2)
    expect(w.calls.length - before).toBe(1)
    w.stop.abort()
  })

  it('leaves no timer behind', async () => {
    const w = world(() => true)
    void w.device('pi-a')
    await settled()
    w.stop.abort()
    w.roadblocks.close()
    await settled()
    expect(w.clock.sleeping).toBe(0)
  })
})
