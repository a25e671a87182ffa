import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { type DurableLog, openDurableLog, type Usage } from '../../src/durable-log/durable-log.ts'
import { ensureDirectory, type FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from './journal-record.ts'
import { RecentRecords } from './recent-records.ts'

export interface JournalSettings {
  readonly dir: string
  /** What it may take on the disk. */
  readonly maxBytes: number
  /** The longest message, as it comes. */
  readonly messageBytes: number
}

export interface JournalDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs?: FileSystem
}

const SEGMENT_BYTES = 16 * 1024 * 1024
/** What a record has beside its message: ids of 256 characters each, and what the log puts around. */
const RECORD_BYTES = 8 * 1024
/** The least number of segments a log consists of. */
const SEGMENTS = 4
/** A small one deletes in small steps. */
const LEAST_SEGMENTS = 16
const LEAST_BYTES = 64 * 1024 * 1024

/**
 * All that has come, in order, until what was made of it is in the table. `append` resolves when the record would survive a
 * power cut; records that come together are synced together.
 */
export class Journal {
  readonly #log: DurableLog
  readonly #recent = new RecentRecords()
  readonly #onRecord = new Set<() => void>()

  private constructor(log: DurableLog) {
    this.#log = log
  }

  static async open(
    { dir, maxBytes, messageBytes }: JournalSettings,
    { clock, log, fs = nodeFileSystem() }: JournalDeps,
  ): Promise<Journal> {
    if (maxBytes < LEAST_BYTES)
      throw new SnowhatError('E_CONFIG_INVALID', `phone.log_max_bytes is ${maxBytes}, and must be at least 64 MiB`, {
        hint: `set SNOWHAT_PHONE_LOG_MAX_BYTES to ${LEAST_BYTES} or more`,
      })
    const longest = messageBytes + RECORD_BYTES
    if (longest * SEGMENTS > maxBytes)
      throw new SnowhatError(
        'E_CONFIG_INVALID',
        `phone.body_max_bytes is ${messageBytes}, and no such message would fit into phone.log_max_bytes, ${maxBytes}`,
        { hint: `set SNOWHAT_PHONE_LOG_MAX_BYTES to ${longest * SEGMENTS} or more, or take shorter messages` },
      )
    const usual = Math.min(SEGMENT_BYTES, Math.floor(maxBytes / LEAST_SEGMENTS / 2) * 2)
    const segmentBytes = Math.max(usual, longest)
    await ensureDirectory(fs, dir)
    const durable = await openDurableLog({ dir: join(dir, 'journal'), segmentBytes, maxBytes }, { clock, log, fs })
    const { corrupt, gaps } = durable.report
    const fresh = corrupt.filter(({ known }) => !known)
    if (fresh.length > 0 || gaps.length > 0)
      log.error({ dir, corrupt: fresh, gaps }, 'the disk has damaged messages of phones: they are missing')
    return new Journal(durable)
  }

  /** Resolves with its number when it is durable. Rejects with `E_LOG_FULL` when there is no room, and then it is not there. */
  async append(record: JournalRecord): Promise<number> {
    const sequence = await this.#log.append(encodeJournalRecord(record))
    this.#recent.add(sequence, record)
    for (const listener of this.#onRecord) listener()
    return sequence
  }

  /** Called after each record that has become durable. */
  onRecord(listener: () => void): void {
    this.#onRecord.add(listener)
  }

  /**
   * From `from` on, those that are durable when it is called. What the disk has damaged is left out. What was appended only
   * just comes from memory, once: whoever reads it again reads the disk.
   */
  async *read(from: number): AsyncGenerator<{ readonly sequence: number; readonly record: JournalRecord }> {
    const through = this.#log.durableSequence
    let next = from
    while (next <= through) {
      const record = this.#recent.take(next)
      if (record !== undefined) {
        yield { sequence: next++, record }
        continue
      }
      const until = Math.min(through, (this.#recent.first ?? Number.POSITIVE_INFINITY) - 1)
      for await (const { sequence, body } of this.#log.read(next)) {
        if (sequence > until) break
        yield { sequence, record: decodeJournalRecord(body) }
      }
      next = until + 1
    }
  }

  /** What lies before is not needed any more: whole segments go. */
  async forgetBefore(sequence: number): Promise<void> {
    await this.#log.deleteBefore(sequence)
  }

  get firstSequence(): number {
    return this.#log.firstSequence
  }

  get durableSequence(): number {
    return this.#log.durableSequence
  }

  usage(): Usage {
    return this.#log.usage()
  }

  get busyMs(): number {
    return this.#log.busyMs
  }

  /** Rejects when nothing can be kept any more: the process must end. */
  get failed(): Promise<never> {
    return this.#log.failed
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}
