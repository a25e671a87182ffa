import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { type FileSystem, isDiskFull, type OpenFile } from './filesystem.ts'
import { encodeFrame, FRAME_OVERHEAD, KIND } from './frame.ts'
import { Group } from './group.ts'
import { diskFull, overLimit, tooLong, writeFailure } from './log-errors.ts'
import { createSegment, SEGMENT_HEADER, type SegmentList, segmentName } from './segment.ts'

export interface CommitterSettings {
  readonly dir: string
  readonly segmentBytes: number
  readonly maxBytes: number
  /** 0: each group is synced before it is acknowledged. */
  readonly syncEveryMs: number
}

/** A group that grew beyond this would make all its waiters wait for the last of them, and its buffer is kept. */
const GROUP_BYTES = 1024 * 1024

/**
 * Writes what waits: one write and one datasync for all of it, and then all are told, in order. While the disk is busy the
 * next group gathers. At rest nothing runs: an append when idle is committed at once, together with all others of the
 * same turn of the event loop.
 */
export class Committer {
  readonly #settings: CommitterSettings
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #segments: SegmentList
  #file: OpenFile
  #groups: Group[] = []
  #inFlight: Group | undefined
  #spare: Buffer | undefined
  #waitingBytes = 0
  #next: number
  #written: number
  #durable: number
  /** Nothing was written since the word that all is durable, so closing need not write it. */
  #marked: boolean
  #syncs: { readonly target: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []
  #timer: AbortController | undefined
  #running = false
  #loop: Promise<void> | undefined
  #busySince: number | undefined
  #failure: unknown
  readonly failed: Promise<never>
  #announceFailure: (error: unknown) => void = () => undefined

  constructor(
    settings: CommitterSettings,
    deps: { readonly fs: FileSystem; readonly clock: Clock },
    start: {
      readonly segments: SegmentList
      readonly file: OpenFile
      readonly next: number
      readonly marked: boolean
    },
  ) {
    this.#settings = settings
    this.#fs = deps.fs
    this.#clock = deps.clock
    this.#segments = start.segments
    this.#file = start.file
    this.#next = start.next
    this.#written = start.next - 1
    this.#durable = start.next - 1
    this.#marked = start.marked
    this.failed = new Promise<never>((_, reject) => {
      this.#announceFailure = reject
    })
    // Who does not listen still hears of it: every append is refused.
    this.failed.catch(() => undefined)
  }

  /** The number the next record will get. */
  get next(): number {
    return this.#next
  }

  get written(): number {
    return this.#written
  }

  get durable(): number {
    return this.#durable
  }

  /** How long the disk has been at the write or sync under way; 0 at rest. */
  get busyMs(): number {
    return this.#busySince === undefined ? 0 : this.#clock.monotonic() - this.#busySince
  }

  /** Why nothing can be written any more. */
  get failure(): unknown {
    return this.#failure
  }

  /** All of these in one write, or none. */
  append(bodies: readonly Uint8Array[]): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (bodies.length === 0) return Promise.resolve(this.#next - 1)
    let bytes = 0
    for (const body of bodies) bytes += body.length + FRAME_OVERHEAD
    const { dir, maxBytes, segmentBytes } = this.#settings
    if (bytes > segmentBytes - SEGMENT_HEADER) return Promise.reject(tooLong(bytes, segmentBytes - SEGMENT_HEADER))
    if (this.#segments.bytes + this.#waitingBytes + bytes > maxBytes) return Promise.reject(overLimit(dir, maxBytes))
    return new Promise((resolve, reject) => {
      const group = this.#groupFor(bytes)
      for (const body of bodies) group.add(this.#next++, body)
      group.wait({ sequence: this.#next - 1, resolve, reject })
      this.#waitingBytes += bytes
      this.#wake()
    })
  }

  /** Resolves when all that was appended before is durable, or was refused. */
  sync(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const target = this.#next - 1
    if (target <= this.#durable) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#syncs.push({ target, resolve, reject })
      this.#wake()
    })
  }

  /** Makes everything durable, says so in the file and lets go of it. Nothing may be appended any more. */
  async close(): Promise<void> {
    try {
      if (this.#failure !== undefined) return
      await this.sync()
      await this.#loop
      if (!this.#marked) await this.#mark()
    } finally {
      this.#timer?.abort()
      await this.#loop
      await this.#file.close()
    }
  }

  #groupFor(bytes: number): Group {
    const most = Math.min(GROUP_BYTES, this.#settings.segmentBytes - SEGMENT_HEADER)
    const last = this.#groups.at(-1)
    if (last !== undefined && last.bytes + bytes <= most) return last
    const group = new Group(this.#spare)
    this.#spare = undefined
    this.#groups.push(group)
    return group
  }

  #wake(): void {
    if (this.#running) return
    this.#running = true
    this.#loop = this.#run()
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        // Lets all join that were just told, or that come with the same packet: else two half groups would take turns.
        await new Promise((resolve) => setImmediate(resolve))
        this.#busySince = this.#clock.monotonic()
        const group = this.#groups.shift()
        if (group !== undefined) await this.#commit(group)
        else if (this.#syncs.length === 0) return
        if (this.#syncs.some(({ target }) => target <= this.#written)) await this.#datasync()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#busySince = undefined
      this.#running = false
    }
  }

  async #commit(group: Group): Promise<void> {
    this.#inFlight = group
    try {
      const { active } = this.#segments
      // One without records is gone on with, whatever it holds: its successor would bear its name.
      const empty = this.#written < active.first
      const full = active.size + group.bytes > this.#settings.segmentBytes
      if (!empty && (full || active.damaged)) await this.#roll()
      await this.#file.write(group.encoded(this.#durable === this.#written), this.#segments.active.size)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      await this.#refuse(error)
      return
    }
    this.#marked = false
    this.#segments.active.places.note(this.#written + 1, this.#segments.active.size)
    this.#segments.grow(group.bytes, group.records)
    this.#written += group.records
    this.#waitingBytes -= group.bytes
    if (this.#settings.syncEveryMs === 0) await this.#datasync()
    else this.#startTimer()
    this.#inFlight = undefined
    this.#spare = group.release()
    group.resolve()
  }

  async #datasync(): Promise<void> {
    const target = this.#written
    if (this.#durable < target) await this.#file.datasync().catch(notFull)
    this.#durable = target
    const done = this.#syncs.filter((sync) => sync.target <= target)
    this.#syncs = this.#syncs.filter((sync) => sync.target > target)
    for (const { resolve } of done) resolve()
  }

  /** The old segment is synced before the new one exists: only the last can be unfinished. */
  async #roll(): Promise<void> {
    await this.#datasync()
    const { dir } = this.#settings
    const first = this.#written + 1
    try {
      const [segment, file] = await createSegment(this.#fs, dir, first)
      await this.#file.close().catch(() => undefined)
      this.#file = file
      this.#segments.add(segment)
      this.#marked = false
    } catch (error) {
      if (isDiskFull(error)) await this.#fs.unlink(join(dir, segmentName(first))).catch(() => undefined)
      throw error
    }
  }

  /**
   * No room. Whatever part was written is cut off, durably, so that it cannot come back as a record nobody was told of. All
   * that wait are refused, their numbers will be given again.
   */
  async #refuse(cause: unknown): Promise<void> {
    await this.#file.truncate(this.#segments.active.size).catch(notFull)
    await this.#file.datasync().catch(notFull)
    this.#durable = this.#written
    const refused = [this.#inFlight, ...this.#groups]
    this.#inFlight = undefined
    this.#groups = []
    this.#waitingBytes = 0
    this.#next = this.#written + 1
    this.#syncs = this.#syncs.map((sync) => ({ ...sync, target: Math.min(sync.target, this.#written) }))
    for (const group of refused) group?.reject(diskFull(this.#settings.dir, cause))
  }

  #fail(cause: unknown): void {
    const failure = writeFailure(this.#settings.dir, cause)
    this.#failure = failure
    this.#timer?.abort()
    const waiting = [this.#inFlight, ...this.#groups]
    const syncs = this.#syncs
    this.#inFlight = undefined
    this.#groups = []
    this.#syncs = []
    this.#announceFailure(failure)
    for (const group of waiting) group?.reject(failure)
    for (const { reject } of syncs) reject(failure)
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return
    const timer = new AbortController()
    this.#timer = timer
    const over = () => {
      if (this.#timer === timer) this.#timer = undefined
    }
    this.#clock.sleep(this.#settings.syncEveryMs, timer.signal).then(() => {
      over()
      // A failure is told to the owner and to every later append.
      this.sync().catch(() => undefined)
    }, over)
  }

  async #mark(): Promise<void> {
    const mark = Buffer.alloc(FRAME_OVERHEAD)
    encodeFrame(mark, 0, KIND.mark, this.#next, new Uint8Array(0))
    try {
      await this.#file.write(mark, this.#segments.active.size)
    } catch (error) {
      // It only saves the next opening some work; what there is of it will be cut as a torn tail.
      if (isDiskFull(error)) return
      throw writeFailure(this.#settings.dir, error)
    }
    await this.#file.datasync().catch((error) => {
      throw writeFailure(this.#settings.dir, error)
    })
  }
}

/** Only a write may find the disk full and be refused; a sync or a cut that fails leaves nothing to rely on. */
function notFull(cause: unknown): never {
  throw new Error(cause instanceof Error ? cause.message : String(cause), { cause })
}
