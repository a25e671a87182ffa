import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { readDurableLog } from '../../src/durable-log/read-only.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { decodeLetter, type KeptLetter } from './letter-record.ts'
import { DEAD_LETTERS, deadLettersIn } from './open-dead-letters.ts'
import { readReplayed } from './replayed.ts'

/** A dead letter as a person finds it. */
export interface NumberedLetter extends KeptLetter {
  readonly number: number
  /** Epoch milliseconds. */
  readonly replayedAt?: number | undefined
}

/**
 * The dead letters of a spool directory, oldest first, also while a bridge runs on it; it takes no lock and changes
 * nothing. Throws `E_DEAD_LETTERS` when no bridge has ever had its spool there: it makes the folder at its start.
 */
export async function* readDeadLetters(
  spoolDir: string,
  fs: FileSystem = nodeFileSystem(),
): AsyncGenerator<NumberedLetter, void, undefined> {
  if (!(await namesIn(fs, spoolDir)).includes(DEAD_LETTERS))
    throw new SnowhatError('E_DEAD_LETTERS', `${spoolDir} is no spool directory: there is no ${DEAD_LETTERS}/ in it`, {
      hint: 'give the directory that SNOWHAT_SPOOL_DIR names for the bridge',
    })
  const dir = deadLettersIn(spoolDir)
  const replayed = await readReplayed(dir, fs)
  for await (const { sequence: number, body } of readDurableLog(dir, fs)) {
    const letter = decodeLetter(body)
    yield { ...letter, number, replayedAt: replayed.when({ number, at: letter.at }) }
  }
}

async function namesIn(fs: FileSystem, dir: string): Promise<string[]> {
  try {
    return await fs.list(dir)
  } catch (error) {
    throw new SnowhatError('E_DEAD_LETTERS', `cannot read the spool directory ${dir}: ${messageOf(error)}`, {
      hint: 'is it the SNOWHAT_SPOOL_DIR the bridge runs with, and may this user read it?',
      cause: error,
    })
  }
}
