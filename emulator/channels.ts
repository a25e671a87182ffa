import type { Clock } from '../src/clock.ts'
import { Refusal } from './answer.ts'
import { type Catalog, DEFAULT_PIPE_SUFFIX, type Pipe } from './catalog.ts'
import { Channel, newChannelRecord } from './channel.ts'
import { type ChannelStore, channelId } from './channel-store.ts'
import type { Committer } from './committer.ts'
import { channelKey, ELASTIC, isElastic, type ObjectName, qualified } from './names.ts'
import { RateLimit, type RateLimits } from './rate-limit.ts'

/** What the service allows, and how slow it is; asked for each request, because it may change. */
export interface Terms {
  readonly limits: RateLimits & { readonly channelsPerPipe: number }
  commitDelayMs(channel: string): number
}

export interface ChannelsDeps {
  readonly catalog: Catalog
  readonly committer: Committer
  readonly clock: Clock
  readonly terms: Terms
}

export interface OpenOptions {
  readonly offsetToken: string | undefined
  readonly failOnUncommittedRows: boolean
}

export interface Opened {
  readonly token: string
  readonly status: Readonly<Record<string, unknown>>
}

export interface AppendedRows {
  readonly lines: readonly string[]
  /** Uncompressed. */
  readonly bytes: number
  readonly startOffset: string | null
  readonly endOffset: string | null
}

/** The channel and its offset token are deleted after 30 days without activity [documented]. */
const EXPIRY_MS = 30 * 24 * 3600 * 1000

/** All channels of all pipes, and what can be done with them. */
export class Channels {
  readonly counters = { opens: 0, appends: 0, ignoredAppends: 0 }
  readonly #deps: ChannelsDeps
  readonly #channels = new Map<string, Channel>()
  readonly #rates = new WeakMap<Channel, RateLimit>()
  #newest = 0

  constructor(deps: ChannelsDeps) {
    this.#deps = deps
  }

  async load(store: ChannelStore): Promise<void> {
    for (const channel of await store.load(this.#deps.catalog)) {
      this.#channels.set(channelId(channel.pipe, channelKey(channel.name)), channel)
      this.#newest = Math.max(this.#newest, channel.createdOnMs)
    }
  }

  get all(): Channel[] {
    return [...this.#channels.values()]
  }

  /** Those of any of these names, in whatever pipe. */
  named(names: readonly string[]): Channel[] {
    const keys = new Set(names.map(channelKey))
    return this.all.filter((channel) => keys.has(channelKey(channel.name)))
  }

  /** Refuses a pipe that is not there, in the words for the part of its name that is wrong [codes documented]. */
  pipe(name: ObjectName): Pipe {
    const { catalog } = this.#deps
    const pipe = catalog.pipe(name)
    if (pipe) return pipe
    this.#checkPlace(name)
    throw notFound('PIPE', qualified(name))
  }

  #checkPlace({ database, schema }: ObjectName): void {
    const { catalog } = this.#deps
    if (!catalog.databases.has(database)) throw notFound('DATABASE', database)
    if (!catalog.schemas.has(`${database}.${schema}`)) throw notFound('SCHEMA', `${database}.${schema}`)
  }

  /** 409 for a pipe whose definition is not one for streaming [documented]. */
  streamingPipe(name: ObjectName): Pipe {
    const pipe = this.pipe(name)
    if (pipe.streaming) return pipe
    throw new Refusal(
      409,
      'ERR_PIPE_IN_INVALID_STATE',
      `Pipe ${qualified(name)} does not read from DATA_SOURCE(TYPE => 'STREAMING')`,
    )
  }

  /** The default pipe of a table, made when somebody asks for it [documented]; refuses in words for the table. */
  defaultPipe(name: ObjectName): Pipe {
    const pipe = this.#deps.catalog.pipe(name)
    if (pipe) return pipe
    this.#checkPlace(name)
    throw notFound('TABLE', qualified(name).slice(0, -DEFAULT_PIPE_SUFFIX.length))
  }

  /** Creates the channel or takes it over from its present owner [documented]. */
  async open(pipe: Pipe, name: string, options: OpenOptions): Promise<Opened> {
    if (isElastic(name)) throw new Refusal(400, 'INVALID_REQUEST', `${ELASTIC} is a reserved channel name`)
    const key = channelId(pipe, channelKey(name))
    await this.#deps.committer.commitDue()
    for (let busy = this.#committing(key); busy; busy = this.#committing(key)) await this.#deps.committer.settled(busy)
    const channel = this.#present(key, options.failOnUncommittedRows) ?? this.#create(pipe, name, key)
    channel.takeOver(this.#deps.clock.now(), options.offsetToken)
    this.counters.opens += 1
    // Taken now: while the state is saved another open may come, and its token is not this caller's.
    const { token, status } = channel
    await this.#deps.committer.save(channel)
    return { token, status }
  }

  /** The token of the next append. 200 means buffered, not stored [documented]; `swallow` does not even buffer. */
  async append(
    pipe: Pipe,
    name: string,
    token: string | null,
    rows: () => Promise<AppendedRows>,
    swallow = false,
  ): Promise<string> {
    const channel = this.find(pipe, name)
    if (channel === undefined) throw noChannel(name)
    if (this.#judge(channel, token) === 'used') return channel.token
    const { clock, committer, terms } = this.#deps
    const rate = this.#rateOf(channel)
    rate.countRequest(terms.limits)
    const { bytes, ...read } = await rows()
    // Reading the rows took a moment: the channel may have been dropped or taken over, or another request have used the
    // token.
    if (this.find(pipe, name) !== channel) throw noChannel(name)
    if (this.#judge(channel, token) === 'used') return channel.token
    rate.countBytes(bytes, terms.limits)
    this.counters.appends += 1
    if (swallow) channel.swallow()
    else {
      const commitDelayMs = terms.commitDelayMs(channel.name)
      const dueAt = clock.monotonic() + commitDelayMs
      channel.accept({ ...read, acceptedAt: clock.now(), dueAt, commitDelayMs })
      committer.rowsAccepted(channel)
    }
    return channel.token
  }

  #judge(channel: Channel, token: string | null): 'next' | 'used' {
    const verdict = channel.judge(token)
    if (verdict === 'used') this.counters.ignoredAppends += 1
    return verdict
  }

  /** Of the names that are known, as written in the request; the others are left out [observed]. */
  async statuses(pipe: Pipe, names: readonly string[]): Promise<Record<string, Opened['status']>> {
    await this.#deps.committer.commitDue()
    const known = names.flatMap((name) => {
      const channel = this.find(pipe, name)
      return channel?.name === name ? [[name, channel.status] as const] : []
    })
    return Object.fromEntries(known)
  }

  /** Deletes offset token and counters; rows in the table stay [documented]. */
  async drop(pipe: Pipe, name: string, failOnUncommittedRows: boolean): Promise<void> {
    const key = channelId(pipe, channelKey(name))
    await this.#deps.committer.commitDue()
    for (let busy = this.#committing(key); busy; busy = this.#committing(key)) await this.#deps.committer.settled(busy)
    const channel = this.#present(key, failOnUncommittedRows)
    if (channel === undefined) throw noChannel(name)
    await this.#forget([channel])
  }

  /** Channels that somebody else drops, or that expire. */
  async lose(channels: readonly Channel[]): Promise<void> {
    await this.#settled(channels)
    await this.#forget(channels)
  }

  /** The channels of these pipes, which are dropped or replaced. */
  loseAllOf(pipes: readonly ObjectName[]): Promise<void> {
    const names = new Set(pipes.map(qualified))
    return this.lose(this.all.filter(({ pipe }) => names.has(qualified(pipe.name))))
  }

  /** CREATE OR REPLACE: its rows are gone, and so are the channels of every pipe into it [documented]. */
  async replaceTable(table: ObjectName): Promise<void> {
    const ofTable = () => this.all.filter(({ pipe }) => qualified(pipe.table) === qualified(table))
    await this.#settled(ofTable())
    await this.#forget(ofTable(), [table])
  }

  /** Nobody can take back rows that are in a transaction. */
  async #settled(channels: readonly Channel[]): Promise<void> {
    const { committer } = this.#deps
    for (let busy = channels.find(isCommitting); busy; busy = channels.find(isCommitting)) await committer.settled(busy)
  }

  find(pipe: Pipe, name: string): Channel | undefined {
    const key = channelId(pipe, channelKey(name))
    const channel = this.#channels.get(key)
    if (channel === undefined || this.#deps.clock.now() - channel.record.lastActivityAt <= EXPIRY_MS) return channel
    if (channel.hasUncommittedRows || channel.committing > 0) return channel
    this.#forget([channel]).catch(() => undefined)
    return undefined
  }

  /** The channel, if rows of it are in a transaction: nobody can take those back. */
  #committing(key: string): Channel | undefined {
    const channel = this.#channels.get(key)
    return channel && channel.committing > 0 ? channel : undefined
  }

  /** The channel; 409 if it has rows to commit and the caller does not want to lose them [documented]. */
  #present(key: string, failOnUncommittedRows: boolean): Channel | undefined {
    const found = this.#channels.get(key)
    const channel = found && this.find(found.pipe, found.name)
    if (!channel?.hasUncommittedRows || !failOnUncommittedRows) return channel
    throw new Refusal(
      409,
      'ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
      `Channel ${channel.name} has rows that are not committed yet`,
    )
  }

  #create(pipe: Pipe, name: string, key: string): Channel {
    const { clock, terms } = this.#deps
    const now = clock.now()
    const inPipe = this.all.filter((channel) => qualified(channel.pipe.name) === qualified(pipe.name)).length
    if (inPipe >= terms.limits.channelsPerPipe)
      throw new Refusal(
        409,
        'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE',
        `Pipe ${pipe.name.name} already has ${inPipe} channels`,
      )
    this.#newest = Math.max(now, this.#newest + 1)
    const channel = new Channel(name, pipe, this.#newest, newChannelRecord(now), false)
    this.#channels.set(key, channel)
    return channel
  }

  /** As the service may do at any time, even to a channel that is idle [observed]. */
  async invalidate(channels: readonly Channel[], code: string, pending: 'lost' | 'kept'): Promise<void> {
    for (const channel of channels) channel.invalidate(code, pending)
    await Promise.all(channels.map((channel) => this.#deps.committer.save(channel)))
  }

  #forget(channels: readonly Channel[], emptied: readonly ObjectName[] = []): Promise<void> {
    for (const channel of channels) {
      channel.pending.length = 0
      this.#channels.delete(channelId(channel.pipe, channelKey(channel.name)))
    }
    return this.#deps.committer.remove(channels, emptied)
  }

  #rateOf(channel: Channel): RateLimit {
    const rate = this.#rates.get(channel) ?? new RateLimit(this.#deps.clock)
    this.#rates.set(channel, rate)
    return rate
  }
}

function isCommitting(channel: Channel): boolean {
  return channel.committing > 0
}

function notFound(what: 'DATABASE' | 'SCHEMA' | 'PIPE' | 'TABLE', name: string): Refusal {
  return new Refusal(
    404,
    // Without the OR for tables [documented].
    `ERR_${what}_DOES_NOT_EXIST_${what === 'TABLE' ? '' : 'OR_'}NOT_AUTHORIZED`,
    `${what[0]}${what.slice(1).toLowerCase()} ${name} does not exist or is not authorized`,
  )
}

function noChannel(name: string): Refusal {
  return new Refusal(
    404,
    'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
    `Channel ${name} does not exist or is not authorized`,
  )
}
