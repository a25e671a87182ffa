import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OpeningPace, openingPaces } from '../../../bridge/lanes/opening-pace.ts'
import { pipeOf } from '../../../bridge/routes/pipe-of.ts'
import { noAnswer } from '../../../bridge/snowpipe/answer.ts'
import type { Outcome } from '../../../bridge/snowpipe/client.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { pipeNamed } from '../../support/pipes.ts'

const hostname = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/)
const pipes = fc.uniqueArray(fc.stringMatching(/^[A-Z_]{1,12}$/), { minLength: 1, maxLength: 6 })

describe('the pipe of a device', () => {
  it('is one of those there are, and always the same, in whatever order they are written', () => {
    fc.assert(
      fc.property(hostname, pipes, (host, names) => {
        const pipe = pipeOf(host, names)
        expect(names).toContain(pipe)
        expect(pipeOf(host, [...names].reverse())).toBe(pipe)
      }),
    )
  })

  it('changes when a pipe is added only to the one that was added', () => {
    fc.assert(
      fc.property(hostname, pipes, (host, names) => {
        const after = pipeOf(host, [...names, 'new'])
        expect([pipeOf(host, names), 'new']).toContain(after)
      }),
    )
  })

  it('spreads a fleet over all pipes', () => {
    const names = ['P0', 'P1', 'P2', 'P3']
    const counts = new Map<string, number>()
    for (let i = 0; i < 1_000; i++) {
      const pipe = pipeOf(`pi-${i}`, names)
      counts.set(pipe, (counts.get(pipe) ?? 0) + 1)
    }
    for (const name of names) expect(counts.get(name)).toBeGreaterThan(180)
  })

  it('is never chosen anew by another version of this program', () => {
    // A change here moves devices to other pipes, and loses their offsets.
    expect(['pi-a', 'pi-b', 'pi-c', 'pi-d', 'pi-e'].map((host) => pipeOf(host, ['P0', 'P1', 'P2']))).toEqual(PINNED)
  })
})

const PINNED = ['P2', 'P2', 'P2', 'P1', 'P2']

const OK = { verdict: 'ok', value: undefined } as const
const THROTTLED = { verdict: 'retry', answer: { ...noAnswer('slow down'), status: 429, code: '390701' } } as const

/** A service that takes so many openings in any second, and those who come to it. */
function paced(most: number, limit = Number.POSITIVE_INFINITY) {
  const clock = new ManualClock()
  const pace = new OpeningPace('P', most, { clock, log: silentLog() })
  const stop = new AbortController()
  const opened: [name: string, at: number][] = []
  const refused: number[] = []
  const open = (name: string) => async (): Promise<Outcome<undefined>> => {
    const now = clock.monotonic()
    if (opened.filter(([, at]) => now - at < 1_000).length >= limit) {
      refused.push(now)
      return THROTTLED
    }
    opened.push([name, now])
    return OK
  }
  const come = async (name: string, weight: () => number = () => 1) => {
    while ((await pace.pass(weight, open(name), stop.signal))?.verdict !== 'ok');
  }
  return { clock, pace, stop, opened, refused, come, names: () => opened.map(([name]) => name) }
}

describe('the pace of opening', () => {
  it('lets the first pass at once and spaces the others', async () => {
    const { clock, come, opened } = paced(8)
    const all = ['a', 'b', 'c'].map((name) => come(name))
    await clock.advance(600)
    await Promise.all(all)
    expect(opened[0]).toEqual(['a', 0])
    for (const [i, [, at]] of opened.slice(1).entries()) {
      const gap = at - (opened[i]?.[1] ?? 0)
      expect(gap).toBeGreaterThanOrEqual(1000 / 8)
      expect(gap).toBeLessThanOrEqual(1000 / 4)
    }
  })

  it('takes no time for those that find at their turn that there is nothing to send', async () => {
    const { clock, come, opened, pace, stop } = paced(5)
    const nothing = Array.from({ length: 2_000 }, () =>
      pace.pass(
        () => 9,
        async () => undefined,
        stop.signal,
      ),
    )
    const all = [come('a'), come('b')]
    await clock.advance(1_000)
    await Promise.all([...nothing, ...all])
    expect(opened.map(([name]) => name)).toEqual(['a', 'b'])
  })

  it('leaves no timer behind when all who waited were told to stop, and opens for none of them', async () => {
    const { clock, opened, pace, stop } = paced(1)
    const pass = (name: string) =>
      pace.pass(
        () => 1,
        async () => {
          opened.push([name, clock.monotonic()])
          return { verdict: 'retry', answer: { ...THROTTLED.answer, retryAfterMs: 300_000 } } as const
        },
        stop.signal,
      )
    await pass('a')
    const waiting = pass('b')
    expect(clock.sleeping).toBe(1)
    stop.abort(new Error('closed'))
    await expect(waiting).rejects.toThrow('closed')
    expect(clock.sleeping).toBe(0)
    expect(opened.map(([name]) => name)).toEqual(['a'])
  })

  it('opens for nobody who was told to stop in the moment of its turn', async () => {
    const { opened, pace, stop } = paced(1)
    const turn = pace.pass(
      () => 1,
      async () => {
        opened.push(['a', 0])
        return OK
      },
      stop.signal,
    )
    stop.abort(new Error('closed'))
    await expect(turn).rejects.toThrow('closed')
    expect(opened).toEqual([])
  })

  it('opens those first behind which most waits at the moment of their turn', async () => {
    const { clock, come, names } = paced(1)
    let later = 0
    const all = [come('first'), come('light', () => 2), come('heavy', () => 5), come('grows', () => later)]
    later = 9
    await clock.advance(10_000)
    await Promise.all(all)
    expect(names()).toEqual(['first', 'grows', 'heavy', 'light'])
  })

  it('rises to what is allowed at most and never beyond', async () => {
    const { clock, come, opened, pace } = paced(10)
    expect(pace.perSecond).toBe(5)
    const all = Array.from({ length: 300 }, (_, i) => come(`pi-${i}`))
    await clock.advance(60_000)
    await Promise.all(all)
    expect(pace.perSecond).toBe(10)
    for (const [, from] of opened) {
      const within = opened.filter(([, at]) => at >= from && at < from + 1_000)
      expect(within.length).toBeLessThanOrEqual(10)
    }
  })

  it('finds the pace of a service that takes fewer, and loses little time and few openings over it', async () => {
    const { clock, come, opened, refused } = paced(10, 6)
    const all = Array.from({ length: 600 }, (_, i) => come(`pi-${i}`))
    await clock.advance(200_000)
    await Promise.all(all)
    expect(refused.length).toBeLessThan(60)
    expect(opened.at(-1)?.[1]).toBeLessThan((600 / 6) * 1_000 * 1.5)
  })

  it('is lowered once for all that was under way when the service throttled', async () => {
    const clock = new ManualClock()
    const pace = new OpeningPace('P', 100, { clock, log: silentLog() })
    const { signal } = new AbortController()
    const answers: (() => void)[] = []
    const open = () =>
      new Promise<Outcome<undefined>>((resolve) => {
        answers.push(() => resolve(THROTTLED))
      })
    const all = Array.from({ length: 5 }, () => pace.pass(() => 1, open, signal))
    await clock.advance(200)
    expect(answers).toHaveLength(5)
    for (const give of answers) give()
    await Promise.all(all)
    expect(pace.perSecond).toBeCloseTo(35)
  })

  it('opens nothing for as long as the service asks for', async () => {
    const clock = new ManualClock()
    const pace = new OpeningPace('P', 10, { clock, log: silentLog() })
    const { signal } = new AbortController()
    const answer = { ...THROTTLED.answer, retryAfterMs: 7_000 }
    await pace.pass(
      () => 1,
      async () => ({ verdict: 'retry', answer }),
      signal,
    )
    const since = clock.monotonic()
    const next = pace
      .pass(
        () => 1,
        async () => OK,
        signal,
      )
      .then(() => clock.monotonic() - since)
    await clock.advance(10_000)
    expect(await next).toBe(7_000)
  })

  it('has no more under way than a slow service can bear', async () => {
    const clock = new ManualClock()
    const pace = new OpeningPace('P', 1_000, { clock, log: silentLog() })
    const { signal } = new AbortController()
    let underWay = 0
    let most = 0
    const open = async () => {
      most = Math.max(most, ++underWay)
      await clock.sleep(5_000)
      underWay--
      return OK
    }
    const all = Array.from({ length: 50 }, () => pace.pass(() => 1, open, signal))
    await clock.advance(60_000)
    await Promise.all(all)
    expect(most).toBe(8)
  })

  it('of one pipe is none of the others', async () => {
    const clock = new ManualClock()
    const paces = openingPaces(10, { clock, log: silentLog() })
    const [one, other] = [pipeNamed('P0'), pipeNamed('P1')]
    expect(paces(one)).toBe(paces(one))
    await paces(one).pass(
      () => 1,
      async () => THROTTLED,
      new AbortController().signal,
    )
    expect(paces(one).perSecond).toBeLessThan(5)
    expect(paces(other).perSecond).toBe(5)
  })

  it('goes on when an opening fails in a way nobody has thought of', async () => {
    const clock = new ManualClock()
    const pace = new OpeningPace('P', 10, { clock, log: silentLog() })
    const { signal } = new AbortController()
    for (let i = 0; i < 20; i++) {
      const failing = pace.pass(
        () => 1,
        () => Promise.reject(new Error('a bug')),
        signal,
      )
      failing.catch(() => undefined)
      await clock.advance(1_000)
      await expect(failing).rejects.toThrow('a bug')
    }
    const good = pace.pass(
      () => 1,
      async () => OK,
      signal,
    )
    await clock.advance(1_000)
    expect((await good)?.verdict).toBe('ok')
  })

  it('lets go of who is told to stop', async () => {
    const { clock, pace, stop, come, names } = paced(1)
    await come('first')
    const second = come('second')
    expect(pace.waiting).toBe(1)
    stop.abort('closing')
    await expect(second).rejects.toBe('closing')
    await expect(come('third')).rejects.toBe('closing')
    await clock.advance(10_000)
    expect(names()).toEqual(['first'])
    expect(pace.waiting).toBe(0)
  })
})
