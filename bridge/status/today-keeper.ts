import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import type { FileSystem } from '../../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../../src/durable-log/node-filesystem.ts'
import { readSnapshot, writeSnapshot } from '../../src/durable-log/snapshot-file.ts'
import { messageOf } from '../../src/errors.ts'
import type { LedgerBudget } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { CostSettings } from '../config.ts'
import { costOf } from '../cost/cost.ts'
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
/** Named in the warning about the budget. */
const DEAREST = 5
const HINT = 'longer intervals at the Pis (publisher.interval) cost less; snowhat ledger lists the dearest devices'
/** How often bytes alone are a reason to write: what a crash takes of them is of little account. */
const SAVE_MS = 60_000

/** The counts of each device of a large fleet take longer to write: so much longer it takes until they are written again. */
const SAVE_MS_PER_DEVICE = 15

export interface TodayDeps {
  readonly clock: Clock
  readonly log: Log
  readonly cost: CostSettings
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
  /** The device that has cost most, while a warning about the budget stands. */
  #dearest: string | undefined
  /** Is told of a device whose ledger has something else to say of the budget. */
  onWarned: (hostname: string) => void = () => undefined
  #savedAt = Number.NEGATIVE_INFINITY

  constructor(today: Today, save: (today: Today) => Promise<void>, deps: TodayDeps) {
    this.today = today
    this.#save = save
    this.#deps = deps
  }

  /** `undefined` while nobody knows. */
  readonly gaps = (hostname: string): Gaps | undefined => this.#gaps.get(hostname)

  watch(spool: Pick<Spool, 'devices'>, events: BridgeEvents): void {
    events.on('batch:appended', (device, _rows, bytes, _trigger, billed) => this.today.sent(device, bytes, billed))
    events.on('device:forgotten', (device) => this.today.devices.forget(device))
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
    this.#lookAtBudget()
    const { missing, rejected } = this.today.now
    const every = SAVE_MS + this.today.devices.size * SAVE_MS_PER_DEVICE
    const isDue = this.#deps.clock.monotonic() - this.#savedAt >= every
    if (isDue || `${missing} ${rejected}` !== this.#saved) await this.#write()
  }

  /** A warning is said once, and kept that it was; the ledger of the device that costs most bears it while it stands. */
  #lookAtBudget(): void {
    const { cost: settings, log } = this.#deps
    const cost = this.today.lookAtBudget(settings, (level, { soFar, atEnd, budget }) => {
      const dearest = this.today.devices.top(DEAREST).map(({ hostname }) => hostname)
      const facts = { budget, soFar, atEnd, currency: settings.currency, dearest, hint: HINT }
      if (level === 'exceeded') log.error(facts, 'the budget of this month is spent; rows go on')
      else log.warn(facts, 'at this rate the month will cost more than its budget')
      this.#savedAt = Number.NEGATIVE_INFINITY
    })
    const [dearest] = cost.level === 'projected' || cost.level === 'exceeded' ? this.today.devices.top(1) : []
    const before = this.#dearest
    this.#dearest = dearest?.hostname
    if (before === this.#dearest) return
    for (const hostname of [before, this.#dearest]) if (hostname !== undefined) this.onWarned(hostname)
  }

  /** What the ledger of this device is to say of the budget: only that of the dearest says anything. */
  readonly budgetOf = (hostname: string): LedgerBudget | undefined => {
    const level = this.today.budgetLevel
    if (hostname !== this.#dearest || (level !== 'projected' && level !== 'exceeded')) return undefined
    const { billedMonth } = this.today.devices.of(hostname)
    const { currency } = this.#deps.cost
    return { level, bytes_month: billedMonth, cost_month: costOf(billedMonth, this.#deps.cost), currency }
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
