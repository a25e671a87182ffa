import type { Log } from '../log.ts'
import { Committer } from './committer.ts'
import type { DurableLog, DurableLogDeps, DurableLogSettings, Usage } from './durable-log.ts'
import { keepSegment, retire } from './evidence.ts'
import { type FileSystem, type OpenFile, readThrough } from './filesystem.ts'
import { closed, writeFailure } from './log-errors.ts'
import { type LogRecord, readParts } from './reader.ts'
import type { Recovered } from './recovery.ts'
import type { RecoveryReport } from './recovery-report.ts'
import type { Damage } from './scan.ts'
import { DEFAULT_SEGMENT_BYTES, type Segment, type SegmentList } from './segment.ts'

/** The log, once it is recovered and its directory locked: committer, segments and readers under one front. */
export class SegmentedLog implements DurableLog {
  readonly report: RecoveryReport
  readonly #dir: string
  readonly #fs: FileSystem
  readonly #log: Log
  readonly #segments: SegmentList
  readonly #committer: Committer
  readonly #release: () => Promise<void>
  #deleting: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(
    {
      dir,
      segmentBytes = DEFAULT_SEGMENT_BYTES,
      maxBytes = Number.POSITIVE_INFINITY,
      syncEveryMs = 0,
    }: DurableLogSettings,
    { fs, clock, log }: DurableLogDeps & { readonly fs: FileSystem },
    { segments, file, next, marked, report }: Recovered,
    release: () => Promise<void>,
  ) {
    this.#dir = dir
    this.#fs = fs
    this.#log = log
    this.#segments = segments
    this.#release = release
    this.report = report
    this.#committer = new Committer(
      { dir, segmentBytes: Math.min(segmentBytes, Math.floor(maxBytes / 4)), maxBytes, syncEveryMs },
      { fs, clock },
      { segments, file, next, marked },
    )
  }

  append(body: Uint8Array | readonly Uint8Array[]): Promise<number> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.#dir))
    return this.#committer.append(body instanceof Uint8Array ? [body] : body)
  }

  read(from: number): AsyncIterable<LogRecord> {
    const all = this.#segments.all()
    const parts = all
      .filter((_, i) => (all[i + 1]?.first ?? Number.POSITIVE_INFINITY) > from)
      .map((segment) => ({ segment, size: segment.size }))
    return readParts(this.#fs, this.#dir, parts, from, (...found) => this.#setAside(...found))
  }

  deleteBefore(sequence: number): Promise<void> {
    return this.#afterDeletions(() => this.#deleteSegments(sequence))
  }

  deleteOldest(): Promise<boolean> {
    return this.#afterDeletions(async () => {
      const [, second] = this.#segments.all()
      if (second !== undefined) await this.#deleteSegments(second.first)
      return second !== undefined
    })
  }

  #afterDeletions<T>(remove: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.#dir))
    const deleted = this.#deleting.then(remove)
    this.#deleting = deleted.catch(() => undefined)
    return deleted
  }

  sync(): Promise<void> {
    return this.#committer.sync()
  }

  get firstSequence(): number {
    return this.#segments.oldest?.first ?? this.#committer.next
  }

  get nextSequence(): number {
    return this.#committer.next
  }

  get durableSequence(): number {
    return this.#committer.durable
  }

  get busyMs(): number {
    return this.#committer.busyMs
  }

  get failed(): Promise<never> {
    return this.#committer.failed
  }

  usage(): Usage {
    return { bytes: this.#segments.bytes, segments: this.#segments.length, records: this.#segments.records }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#deleting
      await this.#committer.close()
    } finally {
      await this.#release()
    }
  }

  /** Each name is gone for good before the next goes: else a power cut could bring back an older one and leave a gap. */
  async #deleteSegments(sequence: number): Promise<void> {
    if (this.#committer.failure !== undefined) throw this.#committer.failure
    try {
      for (;;) {
        const segment = this.#segments.oldestBefore(sequence)
        if (segment === undefined) return
        await retire(this.#fs, this.#dir, segment)
        await this.#fs.syncDirectory(this.#dir)
        this.#segments.dropOldest()
      }
    } catch (error) {
      throw writeFailure(this.#dir, error)
    }
  }

  /** Damage that shows while reading. What recovery has found already is not reported again. */
  async #setAside(segment: Segment, damage: Damage, file: OpenFile): Promise<void> {
    if (segment.damaged) return
    segment.damaged = true
    const whole = await readThrough(file, 0, segment.size)
    const { name: evidence } = await keepSegment(this.#fs, this.#dir, segment.name, whole)
    const { at: offset, end, sequence: seq, records } = damage
    this.#log.error(
      { file: segment.name, offset, bytes: end - offset, seq, records, evidence },
      'a durable record can no longer be read; it is skipped and the file is kept',
    )
  }
}
