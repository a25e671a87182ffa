import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeFleet } from '../../support/fake-fleet.ts'
import { ManualClock } from '../../support/manual-clock.ts'

interface News {
  readonly complete: boolean
  readonly chain?: object
  readonly devices: readonly { readonly hostname: string; readonly temperature: number }[]
  readonly gone: readonly string[]
}

/** A browser at the other end of a connection that takes as much as it is told to. */
class FakeReader extends EventEmitter {
  written = ''
  status = 0
  ended = false
  /** Writes until the connection is full; infinite: never. */
  room = Number.POSITIVE_INFINITY

  writeHead(status: number): this {
    this.status = status
    return this
  }

  write(text: string): boolean {
    this.written += text
    return --this.room > 0
  }

  end(): void {
    this.ended = true
    this.emit('close')
  }

  destroy(): void {
    this.end()
  }

  takeMore(writes: number): void {
    this.room = writes
    this.emit('drain')
  }

  get news(): News[] {
    return [...this.written.matchAll(/^event: fleet\ndata: (.*)\n\n/gm)].map(
      ([, json = '']) => JSON.parse(json) as News,
    )
  }

  /** What it makes of all it has been told. */
  get fleet(): Record<string, number> {
    const known = new Map<string, number>()
    for (const { devices, gone } of this.news) {
      for (const { hostname, temperature } of devices) known.set(hostname, temperature)
      for (const hostname of gone) known.delete(hostname)
    }
    return Object.fromEntries(known)
  }
}

function world(devices: number) {
  const clock = new ManualClock()
  const fleet = new FakeFleet(devices, clock)
  const { feed } = fleet.source
  const read = (room = Number.POSITIVE_INFINITY) => {
    const reader = new FakeReader()
    reader.room = room
    feed.answer({ method: 'GET' } as IncomingMessage, reader as unknown as ServerResponse)
    return reader
  }
  const truth = () => Object.fromEntries([...fleet.tiles.values()].map((tile) => [tile.hostname, tile.temperature]))
  return { clock, fleet, feed, read, truth }
}

describe('the stream of the fleet', () => {
  it('begins with everything, in pieces, and then tells only what has changed', async () => {
    const { clock, fleet, read, truth } = world(450)
    const reader = read()
    await clock.advance(1_500)
    expect(reader.written).toMatch(/^retry: \d+\n\n/)
    expect(reader.news.slice(0, 3).map(({ devices, complete }) => [devices.length, complete])).toEqual([
      [200, false],
      [200, false],
      [50, true],
    ])
    expect(reader.fleet).toEqual(truth())
    const before = reader.news.length
    fleet.set('pi-0007', { temperature: 30 })
    fleet.set('pi-0007', { temperature: 31 })
    fleet.forget('pi-0008')
    await clock.advance(1_000)
    const told = reader.news.slice(before).filter(({ devices, gone }) => devices.length + gone.length > 0)
    expect(told).toMatchObject([{ devices: [{ hostname: 'pi-0007', temperature: 31 }], gone: ['pi-0008'] }])
    reader.end()
  })

  it('looks at nothing while nobody reads, and at most once a second at a device', async () => {
    const { clock, fleet, read, feed } = world(3)
    await clock.advance(60_000)
    expect([fleet.looks, fleet.isWatched, fleet.listeners.size]).toEqual([0, false, 0])
    const reader = read()
    await clock.advance(100)
    for (let i = 0; i < 100; i++) fleet.set('pi-0001', { temperature: i })
    await clock.advance(1_000)
    expect([fleet.looks, fleet.isWatched]).toEqual([4, true])
    reader.end()
    await clock.advance(1_000)
    expect([feed.readers, fleet.isWatched, fleet.listeners.size, clock.sleeping]).toEqual([0, false, 0, 0])
  })

  it('writes nothing to a reader that takes nothing, and brings it up to date when it does', async () => {
    const { clock, fleet, read, truth } = world(600)
    const slow = read(2)
    const quick = read()
    await clock.advance(1_500)
    const before = slow.written.length
    for (let i = 0; i < 20; i++) {
      for (const hostname of fleet.tiles.keys()) fleet.set(hostname, { temperature: i })
      await clock.advance(1_000)
    }
    expect(slow.written.length).toBe(before)
    expect(quick.fleet).toEqual(truth())
    slow.takeMore(Number.POSITIVE_INFINITY)
    await clock.advance(1_000)
    expect(slow.fleet).toEqual(truth())
    // What it missed was not kept for it: the first piece, and then each device once more.
    expect(slow.news.reduce((sum, { devices }) => sum + devices.length, 0)).toBeLessThanOrEqual(200 + 600)
  })

  it('lets go of a reader that takes nothing for a minute', async () => {
    const { clock, read, feed } = world(5)
    const stuck = read(1)
    await clock.advance(65_000)
    expect([stuck.ended, feed.readers]).toEqual([true, 0])
  })

  it('says something on a quiet line that a browser can hear, so that it stays open', async () => {
    const { clock, fleet, read } = world(0)
    // A chain that never changes: nothing is news.
    const still = fleet.source.fleet.chain()
    Object.assign(fleet.source.fleet, { chain: () => still })
    const reader = read()
    await clock.advance(50_000)
    expect(reader.news).toHaveLength(1)
    expect(reader.news[0]).toMatchObject({ complete: true, devices: [] })
    // A comment would keep proxies quiet as well, but no script is told of one.
    expect(reader.written.match(/^event: alive\ndata:\n\n/gm)).toHaveLength(3)
    reader.end()
  })

  it('says that all was told to nobody who comes while the fleet is looked at, the second time neither', async () => {
    const { clock, read, truth } = world(450)
    const first = read()
    await clock.advance(1_500)
    first.end()
    await clock.advance(1_500)
    const early = read()
    const late = read()
    expect([early.news, late.news]).toEqual([[], []])
    await clock.advance(1_500)
    for (const reader of [early, late]) {
      expect(reader.news.map(({ complete }) => complete).slice(0, 3)).toEqual([false, false, true])
      expect(reader.fleet).toEqual(truth())
      reader.end()
    }
  })

  it('takes so many readers and no more', async () => {
    const { read, feed } = world(1)
    const readers = Array.from({ length: 32 }, () => read())
    expect(readers.map(({ status }) => status)).toEqual(Array(32).fill(200))
    expect(read()).toMatchObject({ status: 503, ended: true })
    readers[0]?.end()
    expect(read().status).toBe(200)
    feed.close()
  })

  it('ends all streams when the bridge does, and takes no more', async () => {
    const { clock, read, feed } = world(1)
    const reader = read()
    await clock.advance(100)
    feed.close()
    await clock.advance(2_000)
    expect([reader.ended, feed.readers, clock.sleeping]).toEqual([true, 0, 0])
    expect(read().status).toBe(503)
  })

  it('whatever happens in whatever order, a reader that takes what it is given knows the fleet', async () => {
    const hostname = fc.integer({ min: 1, max: 3 }).map((i) => `pi-000${i}`)
    const step = fc.oneof(
      fc.record({ set: hostname, temperature: fc.integer({ min: 0, max: 40 }) }),
      fc.record({ forget: hostname }),
      fc.record({ wait: fc.integer({ min: 1, max: 2_500 }) }),
      fc.record({ full: fc.constant(true) }),
      fc.record({ drain: fc.constant(true) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { clock, fleet, read, truth } = world(3)
        const reader = read()
        for (const one of steps) {
          if ('set' in one) fleet.set(one.set, { temperature: one.temperature })
          if ('forget' in one) fleet.forget(one.forget)
          if ('wait' in one) await clock.advance(one.wait)
          if ('full' in one) reader.room = 0
          if ('drain' in one) reader.takeMore(Number.POSITIVE_INFINITY)
        }
        reader.takeMore(Number.POSITIVE_INFINITY)
        await clock.advance(3_000)
        expect(reader.fleet).toEqual(truth())
        expect(reader.news.at(-1)?.complete).toBe(true)
        reader.end()
        await clock.advance(2_000)
      }),
      { numRuns: 100 },
    )
  })
})
