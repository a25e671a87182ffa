import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { openDurableLog } from '../../src/durable-log/durable-log.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { readDurableLog } from '../../src/durable-log/read-only.ts'
import { SnowhatError, systemCode } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'

/*
 * Which dead letters were replayed. The letters' own log belongs to the running bridge, so this is a log beside it, of
 * whoever replays: one record per letter, and a lock that keeps two replays apart.
 */

/** Number and time: after a power cut a number may be given again, to another letter. */
export interface LetterIdentity {
  readonly number: number
  /** Epoch milliseconds. */
  readonly at: number
}

interface Mark extends LetterIdentity {
  readonly replayed_at: number
}

export interface Replayed {
  /** When a letter was replayed, epoch milliseconds; `undefined` when it was not. */
  when(letter: LetterIdentity): number | undefined
}

const FOLDER = 'replayed'
const SEGMENT_BYTES = 256 * 1024

/** What is noted beside the dead letters in `dir` at this moment, whoever has it open; nothing where there are none. */
export async function readReplayed(dir: string, fs: FileSystem = nodeFileSystem()): Promise<Replayed> {
  const marks = new Marks()
  if ((await namesIn(fs, dir)).includes(FOLDER))
    for await (const { body } of readDurableLog(join(dir, FOLDER), fs)) marks.add(decode(body))
  return marks
}

/**
 * Notes beside the dead letters in `dir` what is replayed. `undefined` where there have never been any: a folder made here
 * might not be the bridge's to write to. Throws `E_DEAD_LETTERS` when another has it open.
 */
export async function openReplayed(
  dir: string,
  deps: { readonly clock: Clock; readonly log: Log; readonly fs?: FileSystem },
): Promise<ReplayedLog | undefined> {
  const fs = deps.fs ?? nodeFileSystem()
  if ((await namesIn(fs, dir)).length === 0) return undefined
  let oldest = Number.POSITIVE_INFINITY
  for await (const { sequence } of readDurableLog(dir, fs)) {
    oldest = sequence
    break
  }
  const log = await openDurableLog({ dir: join(dir, FOLDER), segmentBytes: SEGMENT_BYTES }, deps).catch(inUse)
  const marks = new Marks()
  let needed: number | undefined
  for await (const { sequence, body } of log.read(log.firstSequence)) {
    const mark = decode(body)
    marks.add(mark)
    if (mark.number >= oldest) needed ??= sequence
  }
  // The others' letters are gone.
  await log.deleteBefore(needed ?? log.nextSequence)
  return {
    when: (letter) => marks.when(letter),
    note: async (letters) => {
      const noted = letters.map(({ number, at }): Mark => ({ number, at, replayed_at: deps.clock.now() }))
      await log.append(noted.map((mark) => Buffer.from(JSON.stringify(mark))))
      for (const mark of noted) marks.add(mark)
    },
    close: () => log.close(),
  }
}

export interface ReplayedLog extends Replayed {
  /** All of these or none; resolves when that would survive a power cut. A thousand at most. */
  note(letters: readonly LetterIdentity[]): Promise<void>
  close(): Promise<void>
}

class Marks implements Replayed {
  readonly #byNumber = new Map<number, Mark>()

  add(mark: Mark): void {
    this.#byNumber.set(mark.number, mark)
  }

  when({ number, at }: LetterIdentity): number | undefined {
    const mark = this.#byNumber.get(number)
    return mark?.at === at ? mark.replayed_at : undefined
  }
}

async function namesIn(fs: FileSystem, dir: string): Promise<string[]> {
  try {
    return await fs.list(dir)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function decode(body: Uint8Array): Mark {
  return JSON.parse(Buffer.from(body).toString('utf8')) as Mark
}

function inUse(error: unknown): never {
  if (error instanceof SnowhatError && error.code === 'E_RIVAL')
    throw new SnowhatError('E_DEAD_LETTERS', 'another replay of these dead letters is running', {
      hint: 'wait until it has ended: what it replays must not be sent twice',
      cause: error,
    })
  throw error
}
