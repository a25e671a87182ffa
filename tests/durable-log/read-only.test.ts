import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { openDurableLog } from '../../src/durable-log/durable-log.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { readDurableLog } from '../../src/durable-log/read-only.ts'
import { segmentName } from '../../src/durable-log/segment.ts'
import { silentLog } from '../../src/log.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { contents, DIR, openOn, seeded, text } from './support/logs.ts'
import { MemoryFileSystem } from './support/memory-filesystem.ts'

async function seen(fs: FileSystem, dir = DIR): Promise<string[]> {
  const records: string[] = []
  for await (const { sequence, body } of readDurableLog(dir, fs))
    records.push(`${sequence}:${Buffer.from(body).toString()}`)
  return records
}

describe('a look at a log that somebody else has open', () => {
  it('gives its records, over all segments, and takes nothing from its owner', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    for (let i = 1; i <= 30; i++) await log.append(text(`${i}`.padEnd(500)))
    expect(log.usage().segments).toBeGreaterThan(3)
    const before = fs.operations
    expect(await seen(fs)).toEqual(await contents(log))
    expect(fs.operations).toBe(before)
    await log.append(text('later'))
    expect((await seen(fs)).at(-1)).toBe('31:later')
  })

  it('gives nothing of an empty one', async () => {
    const fs = new MemoryFileSystem()
    await openOn(fs)
    expect(await seen(fs)).toEqual([])
  })

  it('says in one sentence that there is none', async () => {
    const dir = join(temporaryDirectory(), 'nowhere')
    await expect(readDurableLog(dir).next()).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: expect.stringContaining(dir),
    })
  })

  it('says that a newer version has written it', async () => {
    const fs = new MemoryFileSystem()
    await (await openOn(fs)).close()
    const header = fs.peek(join(DIR, segmentName(1)))
    header.writeUInt32LE(2, 8)
    const { crc32 } = await import('node:zlib')
    header.writeUInt32LE(crc32(header.subarray(0, 20)), 20)
    fs.poke(join(DIR, segmentName(1)), header)
    await expect(seen(fs)).rejects.toMatchObject({ code: 'E_LOG_CORRUPT' })
  })

  it('goes on behind damage, and stops at an end that is half written', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs, { segmentBytes: 100_000 })
    for (const name of ['one', 'two', 'three', 'four']) await log.append(text(name))
    const path = join(DIR, segmentName(1))
    const damaged = fs.peek(path)
    damaged[damaged.indexOf('two')] = 0
    fs.poke(path, damaged)
    expect(await seen(fs)).toEqual(['1:one', '3:three', '4:four'])
    fs.poke(path, damaged.subarray(0, -1))
    expect(await seen(fs)).toEqual(['1:one', '3:three'])
  })

  it('finds the newer segments when the one it was about to read was deleted as the last it knew', async () => {
    const fs = new MemoryFileSystem()
    const log = await openOn(fs)
    await log.append(text('old'))
    const listed = fs.list.bind(fs)
    fs.list = async (dir) => {
      const names = await listed(dir)
      fs.list = listed
      for (let i = 0; i < 10; i++) await log.append(text(`${i}`.padEnd(2_000)))
      while (await log.deleteOldest()) {
        // Only the segment that is written stays.
      }
      return names
    }
    const records = await seen(fs)
    expect(records.length).toBeGreaterThan(0)
    expect(records).toEqual(await contents(log))
  })
})

/** Appends, deletions and a reader that is slower or faster than both, as a seed says. */
it('gives in order and none twice what stays there while its owner appends and deletes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1_000),
      fc.array(fc.integer({ min: 1, max: 1_500 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 1_500 }), fc.constant('delete' as const)), { maxLength: 30 }),
      async (seed, before, meanwhile) => {
        const fs = new MemoryFileSystem(seeded(seed))
        const log = await openOn(fs)
        const bodyOf = (sequence: number, size: number) => text(`${sequence}`.padEnd(size, '.'))
        const expected = new Map<number, string>()
        const append = async (size: number) => {
          const body = bodyOf(log.nextSequence, size)
          expected.set(log.nextSequence, body.toString())
          await log.append(body)
        }
        for (const size of before) await append(size)
        const there = log.nextSequence
        const owner = (async () => {
          for (const what of meanwhile) await (what === 'delete' ? log.deleteOldest() : append(what))
        })()
        const read: number[] = []
        for await (const { sequence, body } of readDurableLog(DIR, fs)) {
          expect(Buffer.from(body).toString()).toBe(expected.get(sequence))
          read.push(sequence)
        }
        await owner
        expect(read).toEqual([...new Set(read)].sort((a, b) => a - b))
        for (let sequence = log.firstSequence; sequence < there; sequence++) expect(read).toContain(sequence)
        await log.close()
      },
    ),
    { numRuns: 150 },
  )
})

it('gives after a power cut what opening the log gives', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const fs = new MemoryFileSystem(seeded(seed))
    const log = await openOn(fs)
    await log.append(text('first'))
    const crashed = fs.crashAfter(1 + (seed % 9))
    for (let i = 0; i < 12; i++) void log.append([text(`${i}`.padEnd(700)), text('and'.padEnd(300))])
    await crashed
    const looked = await seen(fs)
    const again = await openOn(fs)
    expect(looked).toEqual(await contents(again))
    fs.kill()
  }
})

it('works beside a writer on a real disk', async () => {
  const dir = temporaryDirectory()
  const log = await openDurableLog({ dir, segmentBytes: 8_192 }, { clock: systemClock(), log: silentLog() })
  onTestFinished(() => log.close())
  let writing = true
  const owner = (async () => {
    for (let round = 0; round < 60; round++) {
      await Promise.all(Array.from({ length: 20 }, () => log.append(text(`body of ${log.nextSequence}`.padEnd(200)))))
      while (log.usage().bytes > 40_000) await log.deleteOldest()
    }
    writing = false
  })()
  let looks = 0
  while (writing) {
    let previous = 0
    const floor = log.firstSequence
    for await (const { sequence, body } of readDurableLog(dir)) {
      expect(Buffer.from(body).toString().trim()).toBe(`body of ${sequence}`)
      // Only what was deleted under it may be missing.
      if (previous > 0 && sequence > previous + 1) expect(sequence).toBeLessThanOrEqual(log.firstSequence)
      previous = sequence
    }
    expect(previous).toBeGreaterThanOrEqual(floor)
    looks++
  }
  await owner
  expect(looks).toBeGreaterThan(3)
  const names = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])
  for await (const _ of readDurableLog(dir)) break
  expect(readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])).toEqual(names)
})
