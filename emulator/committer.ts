import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { Channel, ChannelRecord, Rowset } from './channel.ts'
import type { ChannelStore } from './channel-store.ts'
import type { ElasticStore } from './elastic-store.ts'
import { isElastic, type ObjectName } from './names.ts'
import type { RowWriter } from './row-writer.ts'
import type { Warehouse } from './warehouse.ts'

/** Rows in one transaction, give or take a rowset. */
const ROWS_PER_TRANSACTION = 5000
/** After a failed transaction. */
const RETRY_MS = 1000

export interface CommitterDeps {
  readonly warehouse: Warehouse
  readonly store: ChannelStore
  readonly elasticStore: ElasticStore
  readonly writer: RowWriter
  readonly clock: Clock
  readonly log: Log
  /** Nothing of this channel commits for the time being. */
  readonly isFrozen: (channel: string) => boolean
}

interface Timer {
  readonly dueAt: number
  readonly stop: AbortController
}

/**
 * Commits rowsets some time after they were accepted, in the order of each channel, all due channels in one transaction
 * with the channels' own state. Whoever restarts the emulator finds both or neither: that is what makes a committed
 * offset token a promise.
 *
 * The commit delay is as rough as the real one: what is due within a quarter of its delay goes along.
 */
export class Committer {
  readonly #deps: CommitterDeps
  readonly #waiting = new Set<Channel>()
  #unsaved = new Set<Channel>()
  #removed: Channel[] = []
  #emptied: ObjectName[] = []
  #tail: Promise<void> = Promise.resolve()
  #timer: Timer | undefined
  #closed = false

  constructor(deps: CommitterDeps) {
    this.#deps = deps
  }

  /** A channel has a new pending rowset. */
  rowsAccepted(channel: Channel): void {
    this.#waiting.add(channel)
    this.#setTimer()
  }

  /** Makes the state of a channel durable, with no rows. */
  save(channel: Channel): Promise<void> {
    this.#unsaved.add(channel)
    return this.#enqueue('none')
  }

  /** The channels are gone, with their offset tokens and counters; so are the rows of these tables. */
  remove(channels: readonly Channel[], emptied: readonly ObjectName[] = []): Promise<void> {
    for (const channel of channels) {
      this.#waiting.delete(channel)
      this.#unsaved.delete(channel)
      this.#removed.push(channel)
    }
    this.#emptied.push(...emptied)
    return this.#enqueue('none')
  }

  /** Other work of the service, in a transaction of its own. */
  transact(work: () => Promise<void>): Promise<void> {
    return this.between(() => this.#deps.warehouse.transaction(work))
  }

  /** Resolves when what is due by now has been committed. */
  async commitDue(): Promise<void> {
    while (this.#nextDueAt() <= this.#deps.clock.monotonic()) await this.#enqueue('due')
    await this.#tail
  }

  /** Resolves when no rowset of the channel is in a transaction. */
  async settled(channel: Channel): Promise<void> {
    while (channel.committing > 0) await this.#tail
  }

  /** Does this between two transactions: what changes tables uses the connection that writes rows. */
  between<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work)
    this.#tail = run.then(
      () => undefined,
      () => undefined,
    )
    return run
  }

  /** Which channels are frozen may have changed. */
  reconsider(): void {
    this.#setTimer()
  }

  /** Commits everything pending: rows that were accepted commit although their client has left [documented]. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.stop.abort()
    while (this.#waiting.size > 0) await this.#enqueue('all')
    await this.#tail
  }

  #nextDueAt(): number {
    let next = Number.POSITIVE_INFINITY
    for (const channel of this.#waiting) {
      const [first] = channel.pending
      if (first !== undefined && first.dueAt < next && !this.#deps.isFrozen(channel.name)) next = first.dueAt
    }
    return next
  }

  #setTimer(): void {
    // A forced open or an invalidation has thrown away what some of them waited for.
    for (const channel of this.#waiting) if (channel.pending.length === 0) this.#waiting.delete(channel)
    const dueAt = this.#nextDueAt()
    if (this.#closed || dueAt === Number.POSITIVE_INFINITY) return
    if (this.#timer !== undefined && this.#timer.dueAt <= dueAt) return
    this.#timer?.stop.abort()
    const timer: Timer = { dueAt, stop: new AbortController() }
    this.#timer = timer
    this.#commitAt(timer).catch((error) => this.#deps.log.error({ err: error }, 'the commit timer failed'))
  }

  async #commitAt(timer: Timer): Promise<void> {
    const { clock, log } = this.#deps
    const { signal } = timer.stop
    await clock.sleep(Math.max(0, timer.dueAt - clock.monotonic()), signal).catch(() => undefined)
    if (signal.aborted) return
    try {
      await this.#enqueue('due')
    } catch (error) {
      log.error({ err: error }, 'commit failed; trying again')
      await clock.sleep(RETRY_MS, signal).catch(() => undefined)
    }
    if (this.#timer !== timer) return
    this.#timer = undefined
    this.#setTimer()
  }

  /** One transaction after the other. */
  #enqueue(which: 'none' | 'due' | 'all'): Promise<void> {
    return this.between(() => this.#transaction(which))
  }

  async #transaction(which: 'none' | 'due' | 'all'): Promise<void> {
    const due = which === 'none' ? new Map<Channel, Rowset[]>() : this.#takeDue(which === 'all')
    const unsaved = this.#unsaved
    const removed = this.#removed
    const emptied = this.#emptied
    if (due.size + unsaved.size + removed.length + emptied.length === 0) return
    this.#unsaved = new Set()
    this.#removed = []
    this.#emptied = []
    const { warehouse, store, elasticStore, writer } = this.#deps
    let records = new Map<Channel, ChannelRecord>()
    try {
      await warehouse.transaction(async () => {
        for (const name of emptied) await warehouse.run(`DELETE FROM ${warehouse.at(name)}`)
        records = await writer.write(due)
        for (const channel of unsaved) if (!records.has(channel)) records.set(channel, channel.record)
        await store.remove(removed)
        const all = [...records]
        await store.save(new Map(all.filter(([channel]) => !isElastic(channel.name))))
        await elasticStore.remove(
          all
            .filter(([channel]) => isElastic(channel.name))
            .map(([{ pipe }, record]) => ({ pipe: pipe.name, upTo: record.rowSequencer })),
        )
      })
    } catch (error) {
      for (const [channel, rowsets] of due) this.#giveBack(channel, rowsets)
      for (const channel of unsaved) this.#unsaved.add(channel)
      this.#removed.push(...removed)
      this.#emptied.push(...emptied)
      throw error
    }
    for (const [channel, record] of records) {
      // An invalidation in the meantime stands; the sequencers cannot have moved while rows were committing.
      if (due.has(channel)) channel.record = { ...record, statusCode: channel.record.statusCode }
      channel.committing = 0
      channel.stored = true
    }
  }

  #takeDue(all: boolean): Map<Channel, Rowset[]> {
    const now = this.#deps.clock.monotonic()
    const isDue = ({ dueAt, commitDelayMs }: Rowset) => all || dueAt - commitDelayMs / 4 <= now
    const due = new Map<Channel, Rowset[]>()
    let rows = 0
    for (const channel of this.#waiting) {
      if (rows >= ROWS_PER_TRANSACTION) break
      if (!all && this.#deps.isFrozen(channel.name)) continue
      const taken: Rowset[] = []
      for (let next = channel.pending[0]; next && isDue(next); next = channel.pending[0]) {
        if (rows >= ROWS_PER_TRANSACTION) break
        taken.push(next)
        rows += next.lines.length
        channel.pending.shift()
      }
      if (taken.length > 0) {
        due.set(channel, taken)
        channel.committing = taken.length
      }
      if (channel.pending.length === 0) this.#waiting.delete(channel)
    }
    return due
  }

  #giveBack(channel: Channel, rowsets: readonly Rowset[]): void {
    channel.pending.unshift(...rowsets)
    channel.committing = 0
    this.#waiting.add(channel)
  }
}
