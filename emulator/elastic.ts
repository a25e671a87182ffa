import type { Clock } from '../src/clock.ts'
import type { Catalog, Pipe } from './catalog.ts'
import { Channel, newChannelRecord } from './channel.ts'
import type { Terms } from './channels.ts'
import type { Committer } from './committer.ts'
import type { ElasticRowset, ElasticStore } from './elastic-store.ts'
import { ELASTIC, type ObjectName, qualified } from './names.ts'

export interface ElasticDeps {
  readonly store: ElasticStore
  readonly committer: Committer
  readonly clock: Clock
  readonly terms: Terms
}

/**
 * The Elastic Channels, one per pipe: many writers, no tokens, no order. 200 means durable [documented], here: in the file. The
 * rows can be queried after the commit delay; nothing is de-duplicated [documented].
 *
 * To the committer the lane of a pipe is a channel like any other, of a name that no Named Channel can have. Its row sequencer is the
 * id of the last rowset that is in the table.
 */
export class ElasticChannels {
  readonly counters = { elasticAppends: 0 }
  readonly #deps: ElasticDeps
  readonly #lanes = new Map<string, Channel>()
  #newestId = 0
  #arrived: ElasticRowset[] = []
  #storing: Promise<void> | undefined

  constructor(deps: ElasticDeps) {
    this.#deps = deps
  }

  /** What was acknowledged before a restart, or a kill, goes on its way. */
  async load(catalog: Catalog): Promise<void> {
    for (const rowset of await this.#deps.store.load(catalog)) {
      this.#newestId = rowset.id
      this.#accept(rowset)
    }
  }

  get lanes(): Channel[] {
    return [...this.#lanes.values()]
  }

  /**
   * What bulk status says of the lane: it is there and good, which the official SDK makes sure of before its first append
   * [observed]. It has no tokens, and its row failures are in the error table only [documented]: no counters either.
   */
  statusOf(pipe: Pipe): Readonly<Record<string, unknown>> {
    const { createdOnMs } = this.#laneOf(pipe)
    return new Channel(ELASTIC, pipe, createdOnMs, newChannelRecord(createdOnMs), false).status
  }

  /** Resolves when the rows are durable. `swallow` takes them and forgets them. */
  async append(pipe: Pipe, lines: readonly string[], swallow = false): Promise<void> {
    this.counters.elasticAppends += 1
    if (swallow) return
    this.#newestId += 1
    const rowset = { id: this.#newestId, pipe, lines, acceptedAt: this.#deps.clock.now() }
    this.#arrived.push(rowset)
    // What arrives while a transaction is under way shares the next one.
    this.#storing ??= this.#deps.committer.transact(() => this.#store())
    await this.#storing
    this.#accept(rowset)
  }

  /** These pipes are dropped, or their table is: rows on their way are lost with those that were in it [assumed]. */
  async loseAllOf(pipes: readonly ObjectName[]): Promise<void> {
    const { committer, store } = this.#deps
    const names = new Set(pipes.map(qualified))
    const lanes = this.lanes.filter(({ pipe }) => names.has(qualified(pipe.name)))
    for (const lane of lanes) await committer.settled(lane)
    for (const lane of lanes) {
      lane.pending.length = 0
      this.#lanes.delete(qualified(lane.pipe.name))
    }
    await committer.transact(() => store.removeAllOf(pipes))
  }

  async #store(): Promise<void> {
    const rowsets = this.#arrived
    this.#arrived = []
    this.#storing = undefined
    await this.#deps.store.add(rowsets)
  }

  #accept({ id, pipe, lines, acceptedAt }: ElasticRowset): void {
    const { clock, committer, terms } = this.#deps
    const lane = this.#laneOf(pipe)
    const commitDelayMs = terms.commitDelayMs(lane.name)
    const dueAt = clock.monotonic() + commitDelayMs
    lane.pending.push({ lines, startOffset: null, endOffset: null, rowSequencer: id, acceptedAt, dueAt, commitDelayMs })
    committer.rowsAccepted(lane)
  }

  #laneOf(pipe: Pipe): Channel {
    const key = qualified(pipe.name)
    const now = this.#deps.clock.now()
    const lane = this.#lanes.get(key) ?? new Channel(ELASTIC, pipe, now, newChannelRecord(now), false)
    this.#lanes.set(key, lane)
    return lane
  }
}
