import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { openFailure } from '../src/durable-log/log-errors.ts'
import { type LogLook, lookAtLog } from '../src/durable-log/look.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { lockOwner } from '../src/durable-log/node-lock.ts'
import { SnowhatError, systemCode } from '../src/errors.ts'
import { readContents } from './outbox-contents.ts'
import { readOutboxSnapshot } from './outbox-snapshot.ts'
import { readSentMark } from './sent-mark.ts'

/** What an outbox on disk holds, as its files say; while a publisher runs on it that may be a minute behind. */
export interface OutboxStatus {
  readonly dir: string
  /** Whose readings they are. */
  readonly hostnames: readonly string[]
  readonly readings: number
  /** Of those, how many were surely never sent: only they could be renamed. */
  readonly never_sent: number
  /** Of those, how many say so of their clock; while the publisher holds them back their times may yet be corrected. */
  readonly unsynced: number
  /** `datetimestamp` of the first and the last. */
  readonly oldest: string | null
  readonly newest: string | null
  readonly streams: readonly { readonly stream: string; readonly readings: number }[]
  /** On the disk, what has left and is still there included. */
  readonly bytes: number
  readonly segments: number
  /** Files with damage that were kept for a look at them. */
  readonly damaged: readonly string[]
  /** The publisher that runs on it. */
  readonly running: string | null
  /** `null` when the outbox does not say. */
  readonly bridge_seen: boolean | null
}

/** Reads only. Throws `E_LOG_IO` where there is no outbox or it must not be read. */
export async function outboxStatus(
  dir: string,
  fs: FileSystem = nodeFileSystem(),
  owner: (dir: string) => Promise<string | undefined> = lockOwner,
): Promise<OutboxStatus> {
  const [running, log] = await look(dir, fs, owner)
  const snapshot = await readOutboxSnapshot(fs, dir)
  const { held } = await readContents(eachOf(log.records), snapshot)
  const sentThrough = (await readSentMark(fs, dir)) ?? Number.POSITIVE_INFINITY
  const times = held.map(({ reading }) => reading.datetimestamp).filter((time) => time !== null)
  const streams = new Map<string, number>()
  for (const { reading } of held) streams.set(reading.stream, (streams.get(reading.stream) ?? 0) + 1)
  return {
    dir,
    hostnames: [...new Set(held.map(({ reading }) => reading.hostname))],
    readings: held.length,
    never_sent: held.filter(({ order }) => order > sentThrough).length,
    unsynced: held.filter(({ reading }) => reading.clock === 'unsynced').length,
    oldest: times[0] ?? null,
    newest: times.at(-1) ?? null,
    streams: [...streams].map(([stream, readings]) => ({ stream, readings })),
    bytes: log.bytes,
    segments: log.segments,
    damaged: log.evidence,
    running: running ?? null,
    bridge_seen: snapshot?.notes?.bridge_seen ?? null,
  }
}

/** An empty directory is no outbox either: whoever asks has mistaken the path. */
async function look(
  dir: string,
  fs: FileSystem,
  owner: (dir: string) => Promise<string | undefined>,
): Promise<[running: string | undefined, log: LogLook]> {
  let found: [string | undefined, LogLook]
  try {
    found = [await owner(dir), await lookAtLog(fs, dir)]
  } catch (error) {
    if (error instanceof SnowhatError) throw error
    if (systemCode(error) === 'ENOENT') throw noOutbox(dir)
    throw openFailure(dir, error)
  }
  if (found[1].segments === 0) throw noOutbox(dir)
  return found
}

export function noOutbox(dir: string): SnowhatError {
  return new SnowhatError('E_LOG_IO', `there is no outbox in ${dir}`, {
    hint: 'name the directory the publisher was started with: --outbox-dir, or SNOWHAT_PUBLISHER_OUTBOX_DIR',
  })
}

async function* eachOf<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all
}
