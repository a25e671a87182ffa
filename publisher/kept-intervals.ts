import { join } from 'node:path'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { readSnapshot, writeSnapshot } from '../src/durable-log/snapshot-file.ts'
import { messageOf } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { CurrentIntervals } from './intervals.ts'
import { parsed } from './outbox-record.ts'

const FILE = 'intervals'

interface Kept {
  /** What the settings said then. */
  readonly configured: CurrentIntervals
  readonly commanded: CurrentIntervals
}

/**
 * Intervals that were commanded stay in force over a restart, in the directory of the outbox. Whoever changes the settings
 * afterwards means them: then what was commanded before is forgotten.
 */
export class KeptIntervals {
  readonly #path: string | undefined
  readonly #configured: CurrentIntervals
  readonly #fs: FileSystem
  readonly #log: Log
  #writing: Promise<void> = Promise.resolve()

  /** `dir`: empty keeps nothing. */
  constructor(dir: string, configured: CurrentIntervals, deps: { readonly log: Log; readonly fs?: FileSystem }) {
    this.#path = dir === '' ? undefined : join(dir, FILE)
    this.#configured = configured
    this.#fs = deps.fs ?? nodeFileSystem()
    this.#log = deps.log
  }

  /** What is in force at the start. Never rejects: what cannot be read was never commanded. */
  async read(): Promise<CurrentIntervals> {
    if (this.#path === undefined) return this.#configured
    const found = await readSnapshot(this.#fs, this.#path).catch((error: unknown) => {
      this.#log.warn({ reason: messageOf(error) }, 'commanded intervals could not be read; the settings hold')
      return undefined
    })
    const kept = keptIn(found?.bytes)
    if (kept === undefined) return this.#configured
    if (same(kept.configured, this.#configured)) return kept.commanded
    // Else it would be in force again when somebody takes the change back.
    await this.write(this.#configured)
    return this.#configured
  }

  /** Resolves when what was commanded is on the disk. */
  written(): Promise<void> {
    return this.#writing
  }

  /** Never rejects: the intervals are in force all the same, until the program ends. */
  write(commanded: CurrentIntervals): Promise<void> {
    const path = this.#path
    if (path === undefined) return this.#writing
    const kept: Kept = { configured: this.#configured, commanded }
    this.#writing = this.#writing
      .then(() => writeSnapshot(this.#fs, path, Buffer.from(JSON.stringify(kept))))
      .catch((error: unknown) =>
        this.#log.warn({ reason: messageOf(error) }, 'the intervals are in force, and forgotten at the next start'),
      )
    return this.#writing
  }
}

function same(a: CurrentIntervals, b: CurrentIntervals): boolean {
  return a.interval === b.interval && a.state_interval === b.state_interval
}

function keptIn(bytes: Buffer | undefined): Kept | undefined {
  const kept = bytes && parsed<Partial<Kept>>(bytes.toString('utf8'))
  if (kept?.configured === undefined || kept.commanded === undefined) return undefined
  const { configured, commanded } = kept
  const numbers = [configured, commanded].flatMap(({ interval, state_interval }) => [interval, state_interval])
  return numbers.every((seconds) => seconds > 0) ? { configured, commanded } : undefined
}
