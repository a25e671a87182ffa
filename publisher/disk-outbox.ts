import { join } from 'node:path'
import type { Clock } from '../src/clock.ts'
import { type DurableLog, openDurableLog } from '../src/durable-log/durable-log.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { openFailure } from '../src/durable-log/log-errors.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { readSnapshot, writeSnapshot } from '../src/durable-log/snapshot-file.ts'
import { SnowhatError } from '../src/errors.ts'
import { Gate } from '../src/gate.ts'
import { IntervalSet } from '../src/intervals.ts'
import type { StreamSets } from '../src/ledger.ts'
import type { Log } from '../src/log.ts'
import type { Reading } from '../src/reading.ts'
import { type Held, HeldReadings, type Place } from './held-readings.ts'
import type { Learned, Outbox } from './outbox.ts'
import { decodeRecord, decodeSnapshot, encodeRecord, encodeSnapshot, type OutboxSnapshot } from './outbox-record.ts'

/*
 * An outbox that survives a power cut, but for the readings of the last `syncEveryMs`. Each reading is a record of a
 * durable log, written before it is sent.
 *
 * What has left is written down only now and then, in a snapshot: a committed reading that comes back after a power cut
 * is sent again, and the bridge knows it. A reading given up is forgotten by the disk only when the one that declares
 * it is durable; its declaration stands in that one's own record.
 *
 * While the disk is full readings are kept in memory, and written when there is room again.
 */

export interface DiskOutboxSettings {
  readonly dir: string
  /** Readings held. */
  readonly limit: number
  /** 0: each reading is synced before it is sent. */
  readonly syncEveryMs: number
  /** Only whole segments are deleted; default: the log's. */
  readonly segmentBytes?: number
  /** Whose readings they are; those of another are not sent in this one's name. */
  readonly hostname?: string
}

export interface DiskOutboxDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs?: FileSystem
}

/** A reading whose record is in the log or on its way there. */
interface Written {
  readonly held: Held
  /** Its number in the log; none while the disk has no room for it. */
  sequence?: number | undefined
}

const SNAPSHOT = 'outbox.snapshot'
/** How often the snapshot is written when something has left. A power cut makes that much be sent again. */
const TIDY_EVERY_MS = 60_000

export async function openDiskOutbox(settings: DiskOutboxSettings, deps: DiskOutboxDeps): Promise<DiskOutbox> {
  const fs = deps.fs ?? nodeFileSystem()
  const { dir, syncEveryMs, segmentBytes } = settings
  const size = segmentBytes === undefined ? {} : { segmentBytes }
  const log = await openDurableLog({ dir, syncEveryMs, ...size }, { clock: deps.clock, log: deps.log, fs })
  try {
    const outbox = await DiskOutbox.restore(settings, { ...deps, fs }, log)
    const { corrupt, gaps, tornTail } = log.report
    const fresh = corrupt.filter(({ known }) => !known)
    if (fresh.length > 0 || gaps.length > 0)
      deps.log.error({ dir, corrupt: fresh, gaps }, 'the disk has damaged readings of the outbox: they are missing')
    deps.log.info({ dir, rows: outbox.size, torn: tornTail !== undefined }, 'the outbox on disk is open')
    return outbox
  } catch (error) {
    await log.close()
    throw error instanceof SnowhatError ? error : openFailure(dir, error)
  }
}

export class DiskOutbox implements Outbox {
  readonly durable = true
  readonly #path: string
  readonly #deps: DiskOutboxDeps & { readonly fs: FileSystem }
  readonly #log: DurableLog
  readonly #held: HeldReadings
  /** Places rise in it, and so do numbers. */
  #written: Written[] = []
  /** The end of `#written` that has no number yet. */
  #unwritten: Written[] = []
  /** The last durable reading that is no longer in `#written`. */
  #passed: Place | undefined
  /** Records follow one another in the order of their places. */
  readonly #writing = new Gate(1)
  readonly #snapshotting = new Gate(1)
  readonly #stop = new AbortController()
  readonly #hostname: string | undefined
  #tidying: Promise<void> = Promise.resolve()
  #untidy = false
  #full = false
  #broken = false

  private constructor(
    settings: DiskOutboxSettings,
    deps: DiskOutboxDeps & { readonly fs: FileSystem },
    log: DurableLog,
  ) {
    this.#path = join(settings.dir, SNAPSHOT)
    this.#hostname = settings.hostname
    this.#deps = deps
    this.#log = log
    this.#held = new HeldReadings(settings.limit)
    log.failed.catch(() => {
      this.#broken = true
    })
  }

  static async restore(
    settings: DiskOutboxSettings,
    deps: DiskOutboxDeps & { readonly fs: FileSystem },
    log: DurableLog,
  ): Promise<DiskOutbox> {
    const outbox = new DiskOutbox(settings, deps, log)
    await outbox.#read()
    outbox.#tidying = outbox.#keepTidy()
    return outbox
  }

  get size(): number {
    return this.#held.size
  }

  get unsent(): number {
    return this.#held.unsent
  }

  get unspooled(): number {
    return this.#held.unspooled
  }

  get givenUp(): number {
    return this.#held.givenUp
  }

  get failed(): Promise<never> {
    return this.#log.failed
  }

  async append(reading: Reading): Promise<void> {
    const givenUp = this.#held.givenUp
    const written: Written = { held: this.#held.admit(reading) }
    if (this.#held.givenUp > givenUp) this.#untidy = true
    this.#written.push(written)
    this.#unwritten.push(written)
    await this.#writing.pass(() => this.#write())
  }

  async take(limit: { readonly readings: number; readonly bytes: number }): Promise<Reading[]> {
    return this.#held.take(limit)
  }

  async learn(spooled: StreamSets, committed: StreamSets): Promise<Learned> {
    const learned = this.#held.learn(spooled, committed)
    if (learned.released > 0) this.#untidy = true
    return learned
  }

  rewind(to: 'unspooled' | 'uncommitted'): number {
    return this.#held.rewind(to)
  }

  resendSkipped(): number {
    return this.#held.resendSkipped()
  }

  /** Writes down what has left, and lets go of the segments nobody needs. */
  tidy(): Promise<void> {
    return this.#snapshotting.pass(() => this.#tidy())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#tidying
    try {
      // A log that has failed has told its owner; what the disk holds is for the next start to find out.
      if (this.#broken) return
      await this.#log.sync()
      await this.tidy()
      const lost = this.#unwritten.length
      const kept = this.#held.size - lost
      if (kept > 0) this.#deps.log.info({ rows: kept }, 'readings not known to be in the table wait for the next start')
      if (lost > 0) this.#deps.log.error({ rows: lost }, 'readings for which the disk had no room end here')
    } finally {
      await this.#log.close()
    }
  }

  /** What waits, in order, until it is all written or the disk has no room. */
  async #write(): Promise<void> {
    for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
      if (next.held.gone) this.#dropGone()
      else {
        // Known before it is there, so that no segment is deleted under it.
        next.sequence = this.#log.nextSequence
        try {
          await this.#log.append(encodeRecord(next.held))
        } catch (error) {
          next.sequence = undefined
          if (!isFull(error)) throw error
          return this.#keepInMemory(error)
        }
        next.held.ready = true
        this.#unwritten.shift()
      }
    }
    if (this.#full) this.#deps.log.info('the disk has room again: the readings kept in memory are on it')
    this.#full = false
  }

  /**
   * Those that left while they waited for the disk. In the table, one declares there what it had to; given up, the one it
   * was given up for has taken that over, and waits behind it.
   */
  #dropGone(): void {
    const dropped = ({ held, sequence }: Written) => held.gone && sequence === undefined
    this.#unwritten = this.#unwritten.filter((one) => !dropped(one))
    this.#written = this.#written.filter((one) => !dropped(one))
  }

  #keepInMemory(error: unknown): void {
    this.#dropGone()
    for (const { held } of this.#unwritten) held.ready = true
    if (!this.#full)
      this.#deps.log.error({ err: error }, 'the disk is full: new readings are kept in memory until there is room')
    this.#full = true
    this.#untidy = true
  }

  async #read(): Promise<void> {
    const found = await readSnapshot(this.#deps.fs, this.#path)
    const snapshot = found === undefined ? undefined : decodeSnapshot(found.bytes)
    const known = new IntervalSet(snapshot?.held)
    let last: Place | undefined = snapshot?.last ?? undefined
    for await (const { sequence, body } of this.#log.read(this.#log.firstSequence)) {
      const { order, before, reading } = decodeRecord(body)
      this.#mustBeOurs(reading)
      const place = { order, name: `${reading.stream}.${reading.seq}` }
      last = later(place, last)
      if (order <= (snapshot?.through ?? 0) && !known.has(order)) continue
      this.#written.push({ held: this.#held.restore(reading, order, before), sequence })
    }
    this.#passed = last
    if (last !== undefined) this.#held.continueAfter(last)
  }

  /** The topic is the identity: the bridge would set them aside as another host's. */
  #mustBeOurs({ hostname }: Reading): void {
    const own = this.#hostname
    if (own === undefined || hostname === own) return
    throw new SnowhatError('E_CONFIG_INVALID', `the outbox holds readings of ${hostname}, and this is ${own}`, {
      hint: `start with --hostname ${hostname} until they are in the table, or choose another --outbox-dir`,
    })
  }

  async #tidy(): Promise<void> {
    this.#untidy = false
    const snapshot = this.#snapshot()
    const oldest = this.#held.all()[0]?.place.order ?? Number.POSITIVE_INFINITY
    const needed = Math.min(oldest, snapshot.through + 1)
    const at = this.#written.findIndex(({ held }) => held.place.order >= needed)
    const from = at < 0 ? this.#written.length : at
    this.#passed = later(this.#written[from - 1]?.held.place, this.#passed)
    this.#written = this.#written.slice(from)
    const first = this.#written.find(({ sequence }) => sequence !== undefined)?.sequence ?? this.#log.nextSequence
    try {
      await writeSnapshot(this.#deps.fs, this.#path, encodeSnapshot(snapshot))
    } catch (error) {
      // Without it what has left is sent again after a start. The segments can go all the same, and may give it room.
      this.#deps.log.error({ err: error }, 'what has left the outbox could not be written down, trying again')
      this.#untidy = true
    }
    await this.#log.deleteBefore(first)
    await this.#writing.pass(() => this.#write())
  }

  /**
   * A reading given up counts as gone only when the one that declares it is durable: that one's `before` is before it,
   * so nothing after the `before` of a reading that is not durable is said to be gone.
   */
  #snapshot(): OutboxSnapshot {
    const isDurable = ({ sequence }: Written) => sequence !== undefined && sequence <= this.#log.durableSequence
    const at = this.#written.findIndex((one) => !isDurable(one))
    const end = at < 0 ? this.#written.length : at
    const last = later(this.#written[end - 1]?.held.place, this.#passed)
    let through = last?.order ?? 0
    for (const { held } of this.#written.slice(end)) through = Math.min(through, held.before.order)
    const orders = new IntervalSet()
    for (const { place } of this.#held.all()) if (place.order <= through) orders.add(place.order)
    return { through, held: orders.toJSON(), last: last ?? null }
  }

  async #keepTidy(): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(TIDY_EVERY_MS, this.#stop.signal).catch(() => undefined)
      if (!this.#untidy || this.#stop.signal.aborted || this.#broken) continue
      // It costs room, not readings.
      await this.tidy().catch((error: unknown) => log.error({ err: error }, 'the outbox could not be tidied up'))
    }
  }
}

function later(a: Place | undefined, b: Place | undefined): Place | undefined {
  return a === undefined || (b !== undefined && b.order > a.order) ? b : a
}

function isFull(error: unknown): boolean {
  return error instanceof SnowhatError && error.code === 'E_LOG_FULL'
}
