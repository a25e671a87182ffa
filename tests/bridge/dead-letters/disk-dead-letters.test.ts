import { describe, expect, it } from 'vitest'
import type { DeadLetter } from '../../../bridge/dead-letters/dead-letters.ts'
import {
  type DiskDeadLetters,
  LEAST_BYTES,
  openDiskDeadLetters,
} from '../../../bridge/dead-letters/disk-dead-letters.ts'
import { decodeLetter, type KeptLetter } from '../../../bridge/dead-letters/letter-record.ts'
import { readDurableLog } from '../../../src/durable-log/read-only.ts'
import { createLog, type Log } from '../../../src/log.ts'
import { seeded } from '../../durable-log/support/logs.ts'
import { MemoryFileSystem } from '../../durable-log/support/memory-filesystem.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

const DIR = '/spool/dead-letters'

function letter(payload: string | Buffer, over: Partial<DeadLetter> = {}): DeadLetter {
  return {
    device: 'pi',
    topic: 'sensehat/pi/readings',
    code: 'not_json',
    reason: 'the payload is not JSON',
    payload: Buffer.from(payload),
    at: 1_790_000_000_000,
    ...over,
  }
}

/** A disk, a bridge's dead letters on it, and what the bridge's log says. */
class World {
  readonly disk: MemoryFileSystem
  readonly clock = new ManualClock()
  readonly lines: Record<string, unknown>[] = []
  readonly log: Log = createLog('bridge', { level: 'info', format: 'json' }, {
    write: (line: string) => this.lines.push(JSON.parse(line) as Record<string, unknown>),
  } as never)

  constructor(seed = 1) {
    this.disk = new MemoryFileSystem(seeded(seed))
  }

  open(maxBytes = LEAST_BYTES): Promise<DiskDeadLetters> {
    return openDiskDeadLetters({ dir: DIR, maxBytes }, { clock: this.clock, log: this.log, fs: this.disk })
  }

  async kept(): Promise<KeptLetter[]> {
    const kept: KeptLetter[] = []
    for await (const { body } of readDurableLog(DIR, this.disk)) kept.push(decodeLetter(body))
    return kept
  }

  async payloads(): Promise<string[]> {
    return (await this.kept()).map(({ payload }) => payload.toString())
  }

  said(message: RegExp): Record<string, unknown>[] {
    return this.lines.filter(({ msg }) => message.test(String(msg)))
  }
}

/** Disk calls of the memory disk take turns of the event loop. */
async function diskIdle(): Promise<void> {
  for (let i = 0; i < 10; i++) await settled()
}

/** Whether a promise is settled by now. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  await diskIdle()
  return (
    (await Promise.race([
      promise.then(
        () => 'over',
        () => 'over',
      ),
      Promise.resolve('open'),
    ])) === 'open'
  )
}

describe('dead letters on disk', () => {
  it('are there after a power cut once they were told kept, and are counted again', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const w = new World(seed)
      const letters = await w.open()
      await letters.add(letter('first', { code: 'wrong_type', position: { stream: 'aaaaaaaa', seq: 7 } }))
      const told = ['first']
      const crashed = w.disk.crashAfter(1 + (seed % 6))
      const add = async (payload: string) => {
        await letters.add(letter(payload))
        told.push(payload)
      }
      void (async () => {
        for (let i = 2; ; i++) await add(`${i}`)
      })()
      await crashed
      const again = await w.open()
      const there = await w.payloads()
      expect(there.slice(0, told.length)).toEqual(told)
      expect(again.total).toBe(there.length)
      expect(again.byCode.get('wrong_type')).toBe(1)
      expect(again.recent(10).map(({ payload }) => payload.toString())).toEqual([...there].reverse())
      expect((await w.kept())[0]?.position).toEqual({ stream: 'aaaaaaaa', seq: 7 })
      await again.close()
    }
  })

  it('are counted at once, before they are on the disk', async () => {
    const w = new World()
    const letters = await w.open()
    const added = letters.add(letter('x'))
    expect([letters.total, letters.byCode.get('not_json')]).toEqual([1, 1])
    await added
  })

  it('that come together share a sync', async () => {
    const w = new World()
    const letters = await w.open()
    const before = w.disk.counts.datasync ?? 0
    await Promise.all(Array.from({ length: 100 }, (_, i) => letters.add(letter(`${i}`))))
    expect((w.disk.counts.datasync ?? 0) - before).toBeLessThanOrEqual(2)
    expect(await w.payloads()).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
  })

  it('give way at the limit, the oldest first, and are counted, also after a restart', async () => {
    const w = new World()
    const letters = await w.open()
    for (let i = 0; i < 60; i++) await letters.add(letter(Buffer.alloc(50_000, 48 + (i % 10)), { reason: `${i}` }))
    const kept = await w.kept()
    expect(w.disk.used).toBeLessThanOrEqual(LEAST_BYTES)
    expect(kept.at(-1)?.reason).toBe('59')
    // Three quarters of the limit are always there.
    expect(kept.length).toBeGreaterThanOrEqual(14)
    expect(letters.dropped).toBe(60 - kept.length)
    expect(letters.total).toBe(60)
    expect(w.said(/made room/).reduce((sum, line) => sum + Number(line.letters), 0)).toBe(letters.dropped)
    await letters.close()
    const again = await w.open()
    expect([again.total, again.dropped]).toEqual([kept.length, 60 - kept.length])
  })

  it('that come together at the limit drop no more than they need', async () => {
    const w = new World()
    const letters = await w.open()
    for (let i = 0; i < 19; i++) await letters.add(letter(Buffer.alloc(50_000)))
    const before = letters.dropped
    await Promise.all(Array.from({ length: 30 }, () => letters.add(letter(Buffer.alloc(4_000)))))
    expect(letters.dropped - before).toBeLessThanOrEqual(5)
    expect(letters.dropped - before).toBeGreaterThan(0)
  })

  it('that are longer than the log takes are kept in part, with their length', async () => {
    const w = new World()
    const letters = await w.open()
    await letters.add(letter(Buffer.alloc(2_000_000, 'x'), { code: 'too_large' }))
    const [kept] = await w.kept()
    expect(kept?.cutFrom).toBe(2_000_000)
    expect(kept?.payload.length).toBeGreaterThan(250_000)
  })

  it('want room for a message at least', async () => {
    await expect(new World().open(LEAST_BYTES - 1)).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: expect.stringContaining('spool.dead_letters_max_bytes'),
    })
  })
})

describe('a full disk', () => {
  it('holds letters up, and so the acknowledgement of their messages, until there is room', async () => {
    const w = new World()
    const letters = await w.open()
    w.disk.capacity = w.disk.used + 50
    const added = letters.add(letter('x'.repeat(200)))
    expect(await isOpen(added)).toBe(true)
    expect(letters.total).toBe(1)
    await w.clock.advance(30_000)
    expect(await isOpen(added)).toBe(true)
    w.disk.capacity = Number.POSITIVE_INFINITY
    await w.clock.advance(1_000)
    await added
    expect(await w.payloads()).toEqual(['x'.repeat(200)])
    expect(letters.unkept).toBe(0)
    expect(w.said(/finds no room/)).toHaveLength(1)
    expect(w.said(/finds no room/)[0]?.hint).toMatch(/\S/)
    expect(w.said(/find room again/)).toHaveLength(1)
  })

  it("does not block the way for ever: after a minute the letter is in the bridge's log, whole", async () => {
    const w = new World()
    const letters = await w.open()
    w.disk.capacity = w.disk.used + 50
    const bytes = Buffer.from([0xff, 0x00, 0x0a, ...Buffer.from('x'.repeat(200))])
    const added = letters.add(letter(bytes))
    await diskIdle()
    for (let i = 0; i < 61; i++) {
      await w.clock.advance(1_000)
      await diskIdle()
    }
    await added
    const [line] = w.said(/could not be kept/)
    const told = line?.letter as { payload_base64: string; device: string; code: string }
    expect(Buffer.from(told.payload_base64, 'base64').equals(bytes)).toBe(true)
    expect(told).toMatchObject({ device: 'pi', code: 'not_json' })
    expect(letters.unkept).toBe(1)
    // Those behind it do not wait a minute each.
    await letters.add(letter('x'.repeat(200)))
    expect(letters.unkept).toBe(2)
    expect(letters.failing).toBe(true)
    w.disk.capacity = Number.POSITIVE_INFINITY
    await letters.add(letter('kept'))
    expect(letters.failing).toBe(false)
    expect(await w.payloads()).toEqual(['kept'])
  })

  it('at the end of the bridge leaves the message to the broker', async () => {
    const w = new World()
    const letters = await w.open()
    w.disk.capacity = w.disk.used + 50
    const added = letters.add(letter('x'.repeat(200)))
    const refused = expect(added).rejects.toMatchObject({ code: 'E_SHUTDOWN' })
    await diskIdle()
    await letters.close()
    await refused
    await expect(letters.add(letter('late'))).rejects.toMatchObject({ code: 'E_SHUTDOWN' })
  })
})

it("a failing disk blocks nobody: the letter is in the bridge's log at once", async () => {
  const w = new World()
  const letters = await w.open()
  w.disk.failNext('datasync')
  await letters.add(letter('{"temperature":'))
  await letters.add(letter('next'))
  expect(letters.unkept).toBe(2)
  const lines = w.said(/could not be kept/)
  expect(lines.map((line) => (line.letter as { payload: string }).payload)).toEqual(['{"temperature":', 'next'])
  expect(lines[0]?.hint).toContain('replay --file')
})
