import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openDiskOutbox } from '../../publisher/disk-outbox.ts'
import { createMemoryOutbox } from '../../publisher/memory-outbox.ts'
import type { Outbox } from '../../publisher/outbox.ts'
import type { Interval } from '../../src/intervals.ts'
import { StreamSets } from '../../src/ledger.ts'
import { silentLog } from '../../src/log.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { reading } from './support.ts'

const ALL = { readings: 1_000, bytes: 10_000_000 }
const STREAM = 'aaaaaaaa'

function sets(...intervals: Interval[]): StreamSets {
  const result = new StreamSets()
  for (const [first, last] of intervals) result.add(STREAM, first, last)
  return result
}

const seqs = async (outbox: Outbox) => (await outbox.take(ALL)).map((r) => r.seq)

/** The same promises, wherever the readings are. */
const STORES = [
  {
    where: 'in memory',
    runs: 300,
    open: async (limit: number, clock = new ManualClock(), aloneMs = 0): Promise<Outbox> =>
      createMemoryOutbox({ limit, aloneMs }, clock),
  },
  {
    where: 'on disk',
    runs: 100,
    open: (limit: number, clock = new ManualClock(), aloneMs = 0): Promise<Outbox> =>
      openDiskOutbox(
        { dir: '/outbox', limit, aloneMs, syncEveryMs: 0, segmentBytes: 4096 },
        { clock, log: silentLog(), fs: new MemoryFileSystem() },
      ),
  },
]

type Step =
  | { kind: 'append'; newStream: boolean }
  | { kind: 'send'; lost: boolean }
  | { kind: 'ledger'; commit: number }
  | { kind: 'reconnect' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), newStream: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), lost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ledger' as const), commit: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reconnect' as const }) },
)

describe.each(STORES)('an outbox $where:', ({ open, runs }) => {
  async function filled(count: number, limit = 1_000): Promise<Outbox> {
    const outbox = await open(limit)
    for (let seq = 1; seq <= count; seq++) await outbox.append(reading(seq))
    return outbox
  }

  describe('a reading in the outbox', () => {
    it('is sent once, in order, until something says that it must be sent again', async () => {
      const outbox = await filled(3)
      expect(await seqs(outbox)).toEqual([1, 2, 3])
      expect(await seqs(outbox)).toEqual([])
      await outbox.append(reading(4))
      expect(await seqs(outbox)).toEqual([4])
    })

    it('leaves when it is committed, not when it is spooled', async () => {
      const outbox = await filled(3)
      await seqs(outbox)
      expect(await outbox.learn(sets([1, 2]), sets())).toEqual({ released: 0, spooled: 2 })
      expect(outbox.size).toBe(3)
      expect(await outbox.learn(sets([1, 3]), sets([1, 2]))).toEqual({ released: 2, spooled: 1 })
      expect(outbox).toMatchObject({ size: 1, unsent: 0, unspooled: 0 })
    })

    it('is sent again from the first not spooled', async () => {
      const outbox = await filled(5)
      await seqs(outbox)
      await outbox.learn(sets([1, 2], [4, 4]), sets())
      expect(outbox.rewind('unspooled')).toBe(3)
      expect(await seqs(outbox)).toEqual([3, 4, 5])
    })

    it('is sent again from the first not committed', async () => {
      const outbox = await filled(4)
      await seqs(outbox)
      await outbox.learn(sets([1, 4]), sets([1, 1]))
      expect(outbox.rewind('uncommitted')).toBe(3)
      expect(await seqs(outbox)).toEqual([2, 3, 4])
    })

    it('is sent again when one that was sent after it is spooled and it is not', async () => {
      const outbox = await open(100)
      for (let seq = 1; seq <= 5; seq++) {
        await outbox.append(reading(seq))
        await seqs(outbox)
      }
      await outbox.learn(sets([1, 1], [4, 4]), sets())
      expect(outbox.resendSkipped()).toBe(2)
      expect(await seqs(outbox)).toEqual([2, 3])
      expect(outbox.resendSkipped()).toBe(0)
    })

    it('is sent again also when the one after it is committed at once', async () => {
      const outbox = await open(100)
      for (let seq = 1; seq <= 2; seq++) {
        await outbox.append(reading(seq))
        await seqs(outbox)
      }
      await outbox.learn(sets([2, 2]), sets([2, 2]))
      expect(outbox.resendSkipped()).toBe(1)
    })

    it('is not sent again for a companion of the same message', async () => {
      const outbox = await filled(3)
      await seqs(outbox)
      await outbox.learn(sets([3, 3]), sets())
      expect(outbox.resendSkipped()).toBe(0)
    })
  })

  describe('a message', () => {
    it('holds no more readings and bytes than allowed, and at least one', async () => {
      const outbox = await filled(10)
      expect(await outbox.take({ readings: 4, bytes: 1_000_000 })).toHaveLength(4)
      const size = JSON.stringify(reading(1)).length
      const some = await outbox.take({ readings: 200, bytes: 3 * size + 200 })
      expect(JSON.stringify(some).length).toBeLessThanOrEqual(3 * size + 200)
      expect(some.length).toBeGreaterThan(1)
      expect(await outbox.take({ readings: 200, bytes: 1 })).toHaveLength(1)
    })
  })

  describe('after', () => {
    it('is carried by the first reading of a stream and by no other', async () => {
      const taken = await (await filled(3)).take(ALL)
      expect(taken.map((r) => r.after)).toEqual([`${STREAM}.0`, undefined, undefined])
    })

    it('joins a new stream to the last reading of the one before', async () => {
      const outbox = await filled(2)
      await outbox.append(reading(1, 'bbbbbbbb'))
      expect((await outbox.take(ALL)).at(-1)?.after).toBe(`${STREAM}.2`)
    })

    it('declares what was given up, in a reading not yet sent', async () => {
      const outbox = await filled(2, 2)
      await outbox.take(ALL)
      await outbox.append(reading(3))
      expect(outbox).toMatchObject({ size: 2, givenUp: 1 })
      expect(await outbox.take(ALL)).toMatchObject([{ seq: 3, after: `${STREAM}.0` }])
    })
  })

  it('over its limit the outbox gives up first what the bridge has, then the oldest', async () => {
    const outbox = await filled(3, 3)
    await outbox.take(ALL)
    await outbox.learn(sets([2, 2]), sets())
    await outbox.append(reading(4))
    outbox.rewind('uncommitted')
    expect(await seqs(outbox)).toEqual([1, 3, 4])
    await outbox.append(reading(5))
    outbox.rewind('uncommitted')
    expect(await seqs(outbox)).toEqual([3, 4, 5])
    expect(outbox.givenUp).toBe(2)
  })

  describe('where no bridge was ever seen', () => {
    const HOUR = 3_600_000

    it('only the readings of a day are kept, and the older ones declared', async () => {
      const clock = new ManualClock()
      const outbox = await open(1_000, clock, 24 * HOUR)
      for (let seq = 1; seq <= 30; seq++) {
        await outbox.append(reading(seq))
        await clock.advance(HOUR)
      }
      expect(outbox).toMatchObject({ size: 25, givenUp: 5 })
      const taken = await outbox.take(ALL)
      expect(taken[0]).toMatchObject({ seq: 6, after: `${STREAM}.0` })
      expect(taken.at(-1)).toMatchObject({ seq: 30, after: `${STREAM}.0` })
    })

    it('all are kept from the moment one is', async () => {
      const clock = new ManualClock()
      const outbox = await open(1_000, clock, 24 * HOUR)
      await outbox.append(reading(1))
      outbox.note({ bridge_seen: true })
      await clock.advance(100 * HOUR)
      await outbox.append(reading(2))
      expect(outbox).toMatchObject({ size: 2, givenUp: 0 })
    })
  })

  it('a reading held back holds back all after it, and is given up like any other', async () => {
    const outbox = await open(3)
    await outbox.append(reading(1))
    await outbox.append(reading(2), { boot: 'boot-1', ms: 5 })
    await outbox.append(reading(3))
    expect(outbox).toMatchObject({ size: 3, heldBack: 1, unspooled: 3 })
    expect(await seqs(outbox)).toEqual([1])
    await outbox.append(reading(4))
    await outbox.append(reading(5))
    expect(outbox).toMatchObject({ size: 3, heldBack: 0, givenUp: 2 })
    expect((await outbox.take(ALL)).map((r) => [r.seq, r.after])).toEqual([
      [3, `${STREAM}.0`],
      [4, `${STREAM}.0`],
      [5, `${STREAM}.0`],
    ])
    expect(await outbox.settle((r) => r)).toBe(0)
  })

  it('whatever is lost on the way: every reading is in the table or declared missing, and none leaves before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), async (steps, limit) => {
        const outbox = await open(limit)
        const order: string[] = []
        const spooled: string[] = []
        const committed = new Set<string>()
        const earliest: number[] = []
        let stream = 0
        let seq = 0
        const place = (name: string) => (name.endsWith('.0') ? -1 : order.indexOf(name))
        const asSets = (names: Iterable<string>) => {
          const result = new StreamSets()
          for (const name of names) {
            const [s = '', n = ''] = name.split('.')
            result.add(s, Number(n))
          }
          return result
        }
        const send = async (lost: boolean) => {
          for (const { stream: s, seq: n, after } of await outbox.take({ readings: 3, bytes: 1_000_000 })) {
            const name = `${s}.${n}`
            if (lost || spooled.includes(name)) continue
            spooled.push(name)
            if (typeof after === 'string') earliest[place(name)] = place(after)
          }
        }
        const hear = async (commit: number) => {
          for (const name of spooled.slice(0, committed.size + commit)) committed.add(name)
          await outbox.learn(asSets(spooled), asSets(committed))
          outbox.resendSkipped()
        }
        const append = async (fresh: boolean) => {
          if (fresh) {
            stream++
            seq = 0
          }
          seq++
          order.push(`stream${stream}.${seq}`)
          await outbox.append(reading(seq, `stream${stream}`))
        }
        for (const s of steps) {
          if (s.kind === 'append') await append(s.newStream && order.length > 0)
          else if (s.kind === 'send') await send(s.lost)
          else if (s.kind === 'ledger') await hear(s.commit)
          else outbox.rewind('unspooled')
          expect(outbox.size).toBeLessThanOrEqual(limit)
          const free = order.length - outbox.size - outbox.givenUp
          expect(free).toBeLessThanOrEqual(committed.size)
        }
        await append(false)
        for (let round = 0; outbox.size > 0 && round < 100; round++) {
          outbox.rewind('unspooled')
          while (outbox.unsent > 0) await send(false)
          await hear(1_000)
        }
        expect(outbox).toMatchObject({ size: 0, unsent: 0, unspooled: 0 })
        for (const [index, name] of order.entries()) {
          if (committed.has(name)) continue
          const declared = earliest.some((from, by) => from !== undefined && from < index && by > index)
          expect(declared, `${name} is missing and not declared`).toBe(true)
        }
      }),
      { numRuns: runs },
    )
  })
})
