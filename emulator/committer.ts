import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { Channel, ChannelRecord, Rowset } from './channel.ts'
import type { ChannelStore } from './channel-store.ts'
import type { RowWriter } from './row-writer.ts'
import type { Warehouse } from './warehouse.ts'

/** Rows in one transaction, give or take a rowset. */
const ROWS_PER_TRANSACTION = 5000
/** After a failed transaction. */
const RETRY_MS = 1000

/**
 * Commits rowsets some time after they were accepted, in the order of each channel, all due channels in one transaction
 * with the channels' own state. Whoever restarts the emulator finds both or neither: that is what makes a committed
 * offset token a promise.
 *
 * The commit delay is as rough as the real one: what is due within a quarter of it goes along.
 */
export class Committer {
  readonly #deps: { warehouse: Warehouse; store: ChannelStore; writer: RowWriter; clock: Clock; log: Log }
  readonly #slack: number
  readonly #waiting = new Set<Channel>()
  #unsaved = new Set<Channel>()
  #removed: Channel[] = []
  #tail: Promise<void> = Promise.resolve()
  #timer: AbortController | undefined
  #frozen = false
  #closed = false

  constructor(
    commitDelayMs: number,
    deps: { warehouse: Warehouse; store: ChannelStore; writer: RowWriter; clock: Clock; log: Log },
  ) {
    this.#slack = commitDelayMs / 4
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

  /** The channel is gone, with its offset token and counters. */
  remove(channel: Channel): Promise<void> {
    this.#waiting.delete(channel)
    this.#unsaved.delete(channel)
    this.#removed.push(channel)
    return this.#enqueue('none')
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

  /** Stops commits, and starts them again. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen
    this.#setTimer()
  }

  /** Commits everything pending: rows that were accepted commit although their client has left [documented]. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.abort()
    while (this.#waiting.size > 0) await this.#enqueue('all')
    await this.#tail
  }

  #nextDueAt(): number {
    if (this.#frozen) return Number.POSITIVE_INFINITY
    return Math.min(...[...this.#waiting].map((channel) => channel.pending[0]?.dueAt ?? Number.POSITIVE_INFINITY))
  }

  #setTimer(): void {
    // A forced open or an invalidation has thrown away what some of them waited for.
    for (const channel of this.#waiting) if (channel.pending.length === 0) this.#waiting.delete(channel)
    if (this.#timer || this.#closed || this.#frozen || this.#waiting.size === 0) return
    const timer = new AbortController()
    this.#timer = timer
    const { clock, log } = this.#deps
    clock
      .sleep(Math.max(0, this.#nextDueAt() - clock.monotonic()), timer.signal)
      .then(() => this.#enqueue('due'))
      .catch((error) => {
        if (timer.signal.aborted) return undefined
        log.error({ err: error }, 'commit failed; trying again')
        return clock.sleep(RETRY_MS, timer.signal).catch(() => undefined)
      })
      .finally(() => {
        this.#timer = undefined
        this.#setTimer()
      })
  }

  /** One transaction after the other. */
  #enqueue(which: 'none' | 'due' | 'all'): Promise<void> {
    const run = this.#tail.then(() => this.#transaction(which))
    this.#tail = run.catch(() => undefined)
    return run
  }

  async #transaction(which: 'none' | 'due' | 'all'): Promise<void> {
    const due = which === 'none' ? new Map<Channel, Rowset[]>() : this.#takeDue(which === 'all')
    const unsaved = this.#unsaved
    const removed = this.#removed
    if (due.size + unsaved.size + removed.length === 0) return
    this.#unsaved = new Set()
    this.#removed = []
    const { warehouse, store, writer } = this.#deps
    let records = new Map<Channel, ChannelRecord>()
    try {
      await warehouse.transaction(async () => {
        records = await writer.write(due)
        for (const channel of unsaved) if (!records.has(channel)) records.set(channel, channel.record)
        await store.remove(removed)
        await store.save(records)
      })
    } catch (error) {
      for (const [channel, rowsets] of due) this.#giveBack(channel, rowsets)
      for (const channel of unsaved) this.#unsaved.add(channel)
      this.#removed.push(...removed)
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
    const horizon = this.#deps.clock.monotonic() + this.#slack
    const due = new Map<Channel, Rowset[]>()
    let rows = 0
    for (const channel of this.#waiting) {
      if (rows >= ROWS_PER_TRANSACTION || (this.#frozen && !all)) break
      const taken: Rowset[] = []
      for (let next = channel.pending[0]; next && (all || next.dueAt <= horizon); next = channel.pending[0]) {
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
