import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import { messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { BridgeEvents } from '../events.ts'
import { type Gaps, gapsOf } from '../ledger/ledger-of.ts'
import type { Spool } from '../spool/spool.ts'
import { type MissingOf, Today, type TodayState } from './today.ts'

/** Beside the spool. */
const NAME = 'today.snapshot'
/** How often devices are looked at for missing readings. */
const LOOK_MS = 10_000
/** A fleet that is looked at in one go would make readings wait. */
const AT_ONCE = 50
const BREATH_MS = 1
/** How often bytes alone are a reason to write: what a crash takes of them is of little account. */
const SAVE_MS = 60_000

export interface TodayDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs?: FileSystem
}

/** The day's counts from a spool's directory; without one they begin with the process, as its rows do. */
export async function openToday(dir: string, deps: TodayDeps): Promise<TodayKeeper> {
  if (dir === '') return new TodayKeeper(new Today(deps.clock), async () => undefined, deps)
  const fs = deps.fs ?? nodeFileSystem()
  const path = join(dir, NAME)
  const snapshot = await readSnapshot(fs, path)
  const state = snapshot === undefined ? undefined : (JSON.parse(snapshot.bytes.toString('utf8')) as TodayState)
  const save = (today: Today) => writeSnapshot(fs, path, Buffer.from(JSON.stringify(today)))
  return new TodayKeeper(new Today(deps.clock, state), save, deps)
}

/** Feeds the day's counts from what happens in the bridge, and keeps them. */
export class TodayKeeper {
  readonly today: Today
  /** Of each device, as of the last look. */
  #gaps = new Map<string, Gaps>()
  readonly #save: (today: Today) => Promise<void>
  readonly #deps: TodayDeps
  readonly #failures = new Doubling()
  readonly #stop = new AbortController()
  #keeping: Promise<void> = Promise.resolve()
  #saved = ''
  #savedAt = Number.NEGATIVE_INFINITY

  constructor(today: Today, save: (today: Today) => Promise<void>, deps: TodayDeps) {
    this.today = today
    this.#save = save
    this.#deps = deps
  }

  /** `undefined` while nobody knows. */
  readonly gaps = (hostname: string): Gaps | undefined => this.#gaps.get(hostname)

  watch(spool: Pick<Spool, 'devices'>, events: BridgeEvents): void {
    events.on('batch:appended', (_device, _rows, bytes) => this.today.sent(bytes))
    events.on('rows:rejected', (_device, rows) => this.today.rejected(rows))
    this.#keeping = this.#keep(spool)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#keeping
    await this.#write()
  }

  async #keep(spool: Pick<Spool, 'devices'>): Promise<void> {
    const { clock, log } = this.#deps
    const { signal } = this.#stop
    while (!signal.aborted) {
      // Rows do not end with a statistic.
      await this.#look(spool).catch((error: unknown) => log.error({ err: error }, "the day's counts are not kept up"))
      await clock.sleep(LOOK_MS, signal).catch(() => undefined)
    }
  }

  async #look(spool: Pick<Spool, 'devices'>): Promise<void> {
    this.today.look(await this.#missing(spool))
    const { missing, rejected } = this.today.now
    const isDue = this.#deps.clock.monotonic() - this.#savedAt >= SAVE_MS
    if (isDue || `${missing} ${rejected}` !== this.#saved) await this.#write()
  }

  async #missing(spool: Pick<Spool, 'devices'>): Promise<MissingOf[]> {
    const missing: MissingOf[] = []
    const gaps = new Map<string, Gaps>()
    for (const device of spool.devices()) {
      // Before its ledger is read, nobody knows what an earlier bridge has missed.
      const known = device.ledgerRead ? gapsOf(device) : undefined
      if (known !== undefined) gaps.set(device.hostname, known)
      missing.push({ hostname: device.hostname, missing: known?.undeclared_gaps })
      if (missing.length % AT_ONCE === 0) await this.#deps.clock.sleep(BREATH_MS)
    }
    this.#gaps = gaps
    return missing
  }

  async #write(): Promise<void> {
    const { clock, log } = this.#deps
    const { missing, rejected } = this.today.now
    this.#savedAt = clock.monotonic()
    try {
      await this.#save(this.today)
      this.#saved = `${missing} ${rejected}`
      this.#failures.reset()
    } catch (error) {
      this.#failures.when((times) =>
        log.warn({ reason: messageOf(error), times }, "the day's counts could not be saved; a restart may lose some"),
      )
    }
  }
}
