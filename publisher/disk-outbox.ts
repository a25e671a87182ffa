import type { Clock } from '../src/clock.ts'
import { type DurableLog, openDurableLog } from '../src/durable-log/durable-log.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { openFailure } from '../src/durable-log/log-errors.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { DEFAULT_SEGMENT_BYTES } from '../src/durable-log/segment.ts'
import { SnowhatError } from '../src/errors.ts'
import { Gate } from '../src/gate.ts'
import { IntervalSet } from '../src/intervals.ts'
import type { StreamSets } from '../src/ledger.ts'
import type { Log } from '../src/log.ts'
import { type Bounds, HeldReadings } from '../src/outbox/held-readings.ts'
import type { BootTime } from '../src/outbox/outbox.ts'
import type { Reading } from '../src/reading.ts'
import { type Learned, type Outbox, type OutboxNotes, trustedTime } from './outbox.ts'
import { type OutboxContents, readContents, type StoredReading } from './outbox-contents.ts'
import { OutboxLog } from './outbox-log.ts'
import { type OutboxSnapshot, readOutboxSnapshot, writeOutboxSnapshot } from './outbox-snapshot.ts'
import { SentMark } from './sent-mark.ts'

/*
 * An outbox that survives a power cut, but for the readings of the last `syncEveryMs`. Each reading is a record of a
 * durable log, written before it is sent.
 *
 * What has left is written down only now and then, in a snapshot: a committed reading that comes back after a power cut
 * is sent again, and the bridge knows it. A reading given up is forgotten by the disk only when the one that declares
 * it is durable; its declaration stands in that one's own record.
 */

export interface DiskOutboxSettings extends Bounds {
  readonly dir: string
  /** 0: each reading is synced before it is sent. */
  readonly syncEveryMs: number
  /** Only whole segments are deleted; default: the log's. */
  readonly segmentBytes?: number
  /** Whose readings they are; those of another are not sent in this one's name. */
  readonly hostname?: string
  /** Of the machine: what was held back in another one can be corrected no more. */
  readonly boot?: string
}

export interface DiskOutboxDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs?: FileSystem
}

type Deps = DiskOutboxDeps & { readonly fs: FileSystem }

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
  readonly #settings: DiskOutboxSettings
  readonly #deps: Deps
  readonly #log: DurableLog
  readonly #records: OutboxLog
  readonly #held: HeldReadings<Reading>
  readonly #mark: SentMark
  #notes: OutboxNotes
  /** Snapshot and segments are changed by one at a time. */
  readonly #upkeep = new Gate(1)
  readonly #stop = new AbortController()
  #tidying: Promise<void> = Promise.resolve()
  #untidy = false
  #broken = false

  private constructor(
    settings: DiskOutboxSettings,
    deps: Deps,
    log: DurableLog,
    mark: SentMark,
    { held, last }: OutboxContents,
    notes: OutboxNotes,
  ) {
    this.#settings = settings
    this.#deps = deps
    this.#log = log
    this.#mark = mark
    this.#notes = notes
    this.#held = new HeldReadings(settings)
    this.#held.alone = !notes.bridge_seen
    this.#records = new OutboxLog(log, settings.segmentBytes ?? DEFAULT_SEGMENT_BYTES, deps.log)
    const restored = held.map((one) => ({ held: this.#restore(one), sequence: one.sequence }))
    this.#records.restored(restored, last)
    if (last !== undefined) this.#held.continueAfter(last)
    log.failed.catch(() => {
      this.#broken = true
    })
  }

  static async restore(settings: DiskOutboxSettings, deps: Deps, log: DurableLog): Promise<DiskOutbox> {
    const { dir, hostname } = settings
    const snapshot = await readOutboxSnapshot(deps.fs, dir)
    const contents = await readContents(log.read(log.firstSequence), snapshot)
    for (const { reading } of contents.held) mustBeOf(hostname, reading)
    const isNew = snapshot === undefined && contents.last === undefined
    // Not knowing whether a bridge was ever heard is no reason to give readings up.
    const notes = snapshot?.notes ?? { bridge_seen: !isNew, clock_wait: null, newest_ms: null }
    const mark = await SentMark.open(deps.fs, dir, contents.last?.order ?? 0, deps.log)
    const outbox = new DiskOutbox(settings, deps, log, mark, contents, notes)
    if (isNew) await outbox.#upkeep.pass(() => outbox.#writeSnapshot())
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

  get heldBack(): number {
    return this.#held.heldBack
  }

  get givenUp(): number {
    return this.#held.givenUp
  }

  get failed(): Promise<never> {
    return this.#log.failed
  }

  get notes(): OutboxNotes {
    return this.#notes
  }

  note(change: Partial<OutboxNotes>): void {
    this.#notes = { ...this.#notes, ...change }
    this.#held.alone = !this.#notes.bridge_seen
    if (!this.#stop.signal.aborted) void this.#upkeep.pass(() => this.#writeSnapshot())
  }

  async append(reading: Reading, takenAt?: BootTime): Promise<void> {
    const givenUp = this.#held.givenUp
    const held = this.#held.admit(reading, this.#deps.clock.monotonic(), takenAt)
    if (this.#held.givenUp > givenUp) this.#untidy = true
    this.#trust(reading)
    await this.#records.keep(held)
    if (this.#records.isFull) this.#untidy = true
  }

  async settle(correct: (reading: Reading, takenAt: BootTime) => Reading): Promise<number> {
    if (this.#held.heldBack === 0) return 0
    return this.#records.settle(correct, (held, reading) => {
      this.#held.letGo(held, reading)
      this.#trust(reading)
    })
  }

  async take(limit: { readonly readings: number; readonly bytes: number }): Promise<Reading[]> {
    const taken = this.#held.take(limit)
    await this.#mark.reach(this.#held.takenThrough)
    return taken
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
    return this.#upkeep.pass(() => this.#tidy())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#tidying
    try {
      // A log that has failed has told its owner; what the disk holds is for the next start to find out.
      if (this.#broken) return
      await this.#log.sync()
      await this.tidy()
      await this.#mark.narrow()
      const lost = this.#records.unwritten
      const kept = this.#held.size - lost
      if (kept > 0) this.#deps.log.info({ rows: kept }, 'readings not known to be in the table wait for the next start')
      if (lost > 0) this.#deps.log.error({ rows: lost }, 'readings for which the disk had no room end here')
    } finally {
      await this.#mark.close()
      await this.#log.close()
    }
  }

  #restore({ reading, order, before, takenAt }: StoredReading) {
    const { clock } = this.#deps
    const taken = trustedTime(reading)
    // By a time that nothing vouches for nobody's age is known: it begins now.
    const age = taken === undefined ? 0 : Math.max(0, clock.now() - taken)
    const sameBoot = takenAt !== undefined && takenAt.boot === this.#settings.boot
    return this.#held.restore(reading, order, before, clock.monotonic() - age, sameBoot ? takenAt : undefined)
  }

  #trust(reading: Reading): void {
    const newest_ms = trustedTime(reading)
    // With the next snapshot: it need not be the very last one.
    if (newest_ms !== undefined) this.#notes = { ...this.#notes, newest_ms }
  }

  async #tidy(): Promise<void> {
    this.#untidy = await this.#records.compact()
    const { through } = await this.#writeSnapshot()
    await this.#records.forget(through)
    await this.#records.writeWaiting()
    if (this.#records.isFull) this.#untidy = true
  }

  async #writeSnapshot(): Promise<OutboxSnapshot> {
    const { through, last } = this.#records.durable()
    const orders = new IntervalSet()
    for (const { place } of this.#held.all()) if (place.order <= through) orders.add(place.order)
    const snapshot = { through, held: orders.toJSON(), last: last ?? null, notes: this.#notes }
    try {
      await writeOutboxSnapshot(this.#deps.fs, this.#settings.dir, snapshot)
    } catch (error) {
      // Without it what has left is sent again after a start. The segments can go all the same, and may give it room.
      this.#deps.log.error({ err: error }, 'what has left the outbox could not be written down, trying again')
      this.#untidy = true
    }
    return snapshot
  }

  async #keepTidy(): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(TIDY_EVERY_MS, this.#stop.signal).catch(() => undefined)
      if (this.#stop.signal.aborted || this.#broken) continue
      await this.#mark.rest()
      if (!this.#untidy) continue
      // It costs room, not readings.
      await this.tidy().catch((error: unknown) => log.error({ err: error }, 'the outbox could not be tidied up'))
    }
  }
}

/** The topic is the identity: the bridge would set them aside as another host's. */
function mustBeOf(own: string | undefined, { hostname }: Reading): void {
  if (own === undefined || hostname === own) return
  throw new SnowhatError('E_CONFIG_INVALID', `the outbox holds readings of ${hostname}, and this is ${own}`, {
    hint:
      `start with --hostname ${hostname} until they are in the table, ` +
      `or see what "snowhat publisher outbox rename ${own}" can do for them`,
  })
}
