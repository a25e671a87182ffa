import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openingPace } from '../../../bridge/lanes/opening-pace.ts'
import { pipeOf } from '../../../bridge/routes/pipe-of.ts'
import { ManualClock } from '../../support/manual-clock.ts'

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

describe('the pace of opening', () => {
  it('lets the first pass at once and spaces the others, in the order they came', async () => {
    const clock = new ManualClock()
    const turn = openingPace(4, clock)
    const passed: [number, number][] = []
    const { signal } = new AbortController()
    const all = Promise.all([0, 1, 2, 3].map((i) => turn(signal).then(() => passed.push([i, clock.monotonic()]))))
    await clock.advance(2_000)
    await all
    expect(passed).toEqual([
      [0, 0],
      [1, 250],
      [2, 500],
      [3, 750],
    ])
    await turn(signal)
    expect(clock.monotonic()).toBe(2_000)
  })

  it('lets go of who is told to stop', async () => {
    const turn = openingPace(1, new ManualClock())
    const stop = new AbortController()
    await turn(stop.signal)
    const second = turn(stop.signal)
    stop.abort('closing')
    await expect(second).rejects.toBe('closing')
    await expect(turn(stop.signal)).rejects.toBe('closing')
  })
})
