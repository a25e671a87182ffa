import { expect, it } from 'vitest'
import { LEAST_BYTES, openDiskDeadLetters } from '../../../bridge/dead-letters/disk-dead-letters.ts'
import { deadLettersIn } from '../../../bridge/dead-letters/open-dead-letters.ts'
import { type NumberedLetter, readDeadLetters } from '../../../bridge/dead-letters/read-dead-letters.ts'
import { openReplayed, type ReplayedLog, readReplayed } from '../../../bridge/dead-letters/replayed.ts'
import { ensureDirectory } from '../../../src/durable-log/filesystem.ts'
import { silentLog } from '../../../src/log.ts'
import { MemoryFileSystem } from '../../durable-log/support/memory-filesystem.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const SPOOL = '/spool'
const DIR = deadLettersIn(SPOOL)

function world() {
  const fs = new MemoryFileSystem()
  const deps = { clock: new ManualClock(), log: silentLog(), fs }
  return {
    fs,
    letters: () => openDiskDeadLetters({ dir: DIR, maxBytes: LEAST_BYTES }, deps),
    replayed: async (): Promise<ReplayedLog> => {
      const log = await openReplayed(DIR, deps)
      if (log === undefined) throw new Error('there are no dead letters')
      return log
    },
    deps,
    seen: async () => {
      const seen: NumberedLetter[] = []
      for await (const letter of readDeadLetters(SPOOL, fs)) seen.push(letter)
      return seen
    },
  }
}

const letter = (at: number, bytes = 10) => ({
  device: 'pi',
  topic: 't',
  code: 'not_json' as const,
  reason: 'r',
  payload: Buffer.alloc(bytes, 'x'),
  at,
})

it('what is noted is known after a power cut, to the next replay and to whoever only looks', async () => {
  const w = world()
  const letters = await w.letters()
  await letters.add(letter(100))
  await letters.add(letter(200))
  const notes = await w.replayed()
  await notes.note([{ number: 2, at: 200 }])
  w.fs.crash()
  expect((await w.seen()).map(({ number, replayedAt }) => [number, replayedAt !== undefined])).toEqual([
    [1, false],
    [2, true],
  ])
  expect((await w.replayed()).when({ number: 2, at: 200 })).toBe(w.deps.clock.now())
})

it('a number that was given again, to another letter, is not replayed', async () => {
  const w = world()
  await w.letters()
  const notes = await w.replayed()
  await notes.note([{ number: 1, at: 100 }])
  expect(notes.when({ number: 1, at: 100 })).toBeDefined()
  expect(notes.when({ number: 1, at: 101 })).toBeUndefined()
})

it('two replays at once are one too many', async () => {
  const w = world()
  await w.letters()
  const notes = await w.replayed()
  await expect(w.replayed()).rejects.toMatchObject({ code: 'E_DEAD_LETTERS', hint: expect.any(String) })
  await notes.close()
  await (await w.replayed()).close()
})

it('notes of letters that are gone go in their turn', async () => {
  const w = world()
  const letters = await w.letters()
  await letters.add(letter(0))
  const notes = await w.replayed()
  await Promise.all(Array.from({ length: 9_000 }, () => notes.note([{ number: 1, at: 0 }])))
  await notes.close()
  const before = w.fs.used
  await (await w.replayed()).close()
  expect(w.fs.used).toBe(before)
  for (let i = 0; letters.dropped === 0; i++) await letters.add(letter(i, 100_000))
  await (await w.replayed()).close()
  const marks = (await w.fs.list(`${DIR}/replayed`)).length
  expect(marks).toBe(1)
})

it('nothing is made where the bridge has never kept a letter', async () => {
  const w = world()
  await ensureDirectory(w.fs, SPOOL)
  expect(await openReplayed(DIR, w.deps)).toBeUndefined()
  expect((await readReplayed(DIR, w.fs)).when({ number: 1, at: 0 })).toBeUndefined()
  await expect(w.seen()).rejects.toMatchObject({
    code: 'E_DEAD_LETTERS',
    message: expect.stringContaining('is no spool'),
  })
  expect(await w.fs.list(SPOOL)).toEqual([])
})
