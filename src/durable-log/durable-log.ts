import type { Clock } from '../clock.ts'
import { SnowhatError } from '../errors.ts'
import type { Log } from '../log.ts'
import { ensureDirectory, type FileSystem, type Lock } from './filesystem.ts'
import { onNetworkShare, openFailure, taken } from './log-errors.ts'
import { nodeFileSystem } from './node-filesystem.ts'
import type { LogRecord } from './reader.ts'
import { recover } from './recovery.ts'
import type { RecoveryReport } from './recovery-report.ts'
import { SegmentedLog } from './segmented-log.ts'

/*
 * Promises:
 *
 *  1. `append` resolves only when the records would survive a power cut (with `syncEveryMs`: when they would survive the
 *     end of the process; a power cut then takes at most what is above `durableSequence`).
 *  2. Records come back in the order they were appended, byte for byte, none twice, none that was not appended. After a
 *     power cut they are all the durable ones and a beginning of the rest, without a hole.
 *  3. A record is forgotten only after `deleteBefore` has passed it. At the limit new ones are refused.
 *  4. What was refused as E_LOG_FULL is not in the log and never will be. What was refused as E_LOG_IO may be.
 *  5. A failed write or sync ends the log: nobody waiting is told that all is well, `failed` tells the owner, who has to
 *     end the process. (No room is not such a failure, as long as what was half written can be cut off again.)
 *  6. After any crash opening needs no person. What the disk has damaged is skipped, counted and kept.
 *
 * What it trusts: that a sync which succeeds has reached the disk, that a sector of 512 bytes is written whole or not at
 * all, and that one kernel sees the directory.
 */

export interface DurableLogSettings {
  /** It is made if it is not there. */
  readonly dir: string
  /** Default 8 MiB; at most a quarter of `maxBytes`, because only whole segments are deleted. */
  readonly segmentBytes?: number
  /** What all segments together may take on the disk. Without it the disk is the limit. */
  readonly maxBytes?: number
  /** Instead of one sync per group of appends, one so long after the first that is not synced: it spares SD cards. */
  readonly syncEveryMs?: number
  /** The number of the first record of a new log; default 1. */
  readonly startAt?: number
}

export interface DurableLogDeps {
  readonly clock: Clock
  readonly log: Log
  /** Default: the disk of this machine. */
  readonly fs?: FileSystem
}

export interface DurableLog {
  /**
   * Appends a record, or several, which then are written together or refused together. Gives the number of the last.
   * Numbers rise by one in the order of the calls: the first of a call is what `nextSequence` said before it. The bytes
   * are copied before it returns. Only refused numbers are given again.
   */
  append(body: Uint8Array | readonly Uint8Array[]): Promise<number>
  /**
   * The records from `from` on that are written when it is called, the not yet durable ones included. Safe while others
   * append and delete.
   */
  read(from: number): AsyncIterable<LogRecord>
  /** Deletes the whole segments below, oldest first; the one being written stays. */
  deleteBefore(sequence: number): Promise<void>
  /** Deletes the oldest segment whole; false, and nothing, when that is the one being written. */
  deleteOldest(): Promise<boolean>
  /** Everything appended so far becomes durable, or is refused. */
  sync(): Promise<void>
  /** The oldest number that can be there; `nextSequence` when there is none. */
  readonly firstSequence: number
  readonly nextSequence: number
  /** Everything up to it survives a power cut. */
  readonly durableSequence: number
  usage(): Usage
  /** Milliseconds the disk has been at the write or sync under way; 0 at rest. One that hangs does not fail. */
  readonly busyMs: number
  /** What opening found: to be logged. */
  readonly report: RecoveryReport
  /** Rejects when the log has failed; never settles otherwise. */
  readonly failed: Promise<never>
  /** Makes everything durable and lets go of the directory. Later appends are refused. */
  close(): Promise<void>
}

export interface Usage {
  readonly bytes: number
  readonly segments: number
  /** Records that can be read, also those that `deleteBefore` has passed and whose segment still stands. */
  readonly records: number
}

export async function openDurableLog(settings: DurableLogSettings, deps: DurableLogDeps): Promise<DurableLog> {
  const { dir } = settings
  const fs = deps.fs ?? nodeFileSystem()
  let lock: Lock
  try {
    await ensureDirectory(fs, dir)
    const share = await fs.networkShare(dir)
    if (share !== undefined) throw onNetworkShare(dir, share)
    lock = await fs.lock(dir)
  } catch (error) {
    throw error instanceof SnowhatError ? error : openFailure(dir, error)
  }
  if (lock.state === 'taken') throw taken(dir, lock.by)
  if (lock.state === 'unsupported')
    deps.log.warn(
      { err: lock.cause, dir },
      'this disk holds no locks: nothing notices a second program on the same log',
    )
  const release = async () => {
    if (lock.state === 'held') await lock.release()
  }
  try {
    return new SegmentedLog(settings, { ...deps, fs }, await recover(fs, dir, settings.startAt ?? 1), release)
  } catch (error) {
    await release()
    throw error instanceof SnowhatError ? error : openFailure(dir, error)
  }
}
