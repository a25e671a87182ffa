import type { Clock } from '../src/clock.ts'
import { Refusal } from './answer.ts'
import type { Catalog, Pipe } from './catalog.ts'
import { Channel, newChannelRecord } from './channel.ts'
import { type ChannelStore, channelId } from './channel-store.ts'
import type { Committer } from './committer.ts'
import { channelKey, type ObjectName, qualified } from './names.ts'

export interface ChannelSettings {
  readonly commitDelayMs: number
  readonly channelLimit: number
  /** 0 for no limit. */
  readonly requestsPerSecond: number
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
  readonly startOffset: string | null
  readonly endOffset: string | null
}

/** The channel and its offset token are deleted after 30 days without activity [documented]. */
const EXPIRY_MS = 30 * 24 * 3600 * 1000

/** All channels of all pipes, and what can be done with them. */
export class Channels {
  readonly counters = { opens: 0, appends: 0, ignoredAppends: 0 }
  readonly #settings: ChannelSettings
  readonly #deps: { catalog: Catalog; committer: Committer; clock: Clock }
  readonly #channels = new Map<string, Channel>()
  readonly #recent = new Map<Channel, number[]>()
  #newest = 0

  constructor(settings: ChannelSettings, deps: { catalog: Catalog; committer: Committer; clock: Clock }) {
    this.#settings = settings
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

  /** Refuses a pipe that is not there, in the words for the part of its name that is wrong [codes documented]. */
  pipe(name: ObjectName): Pipe {
    const { catalog } = this.#deps
    const pipe = catalog.pipe(name)
    if (pipe) return pipe
    if (!catalog.databases.has(name.database)) throw notFound('DATABASE', name.database)
    if (!catalog.schemas.has(`${name.database}.${name.schema}`))
      throw notFound('SCHEMA', `${name.database}.${name.schema}`)
    throw notFound('PIPE', qualified(name))
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

  /** Creates the channel or takes it over from its present owner [documented]. */
  async open(pipe: Pipe, name: string, options: OpenOptions): Promise<Opened> {
    if (channelKey(name) === 'ELASTIC') throw new Refusal(400, 'INVALID_REQUEST', 'ELASTIC is a reserved channel name')
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

  /** The token of the next append. 200 means buffered, not stored [documented]. */
  append(pipe: Pipe, name: string, token: string | null, rows: () => Promise<AppendedRows>): Promise<string> {
    const channel = this.find(pipe, name)
    if (channel === undefined) throw noChannel(name)
    return this.#append(channel, token, rows)
  }

  async #append(channel: Channel, token: string | null, rows: () => Promise<AppendedRows>): Promise<string> {
    if (this.#judge(channel, token) === 'used') return channel.token
    this.#countRequest(channel)
    const read = await rows()
    // Reading the rows took a moment: the channel may have been taken over, or another request have used the token.
    if (this.#judge(channel, token) === 'used') return channel.token
    const { clock, committer } = this.#deps
    const dueAt = clock.monotonic() + this.#settings.commitDelayMs
    channel.accept({ ...read, acceptedAt: clock.now(), dueAt })
    this.counters.appends += 1
    committer.rowsAccepted(channel)
    return channel.token
  }

  #judge(channel: Channel, token: string | null): 'next' | 'used' {
    const verdict = channel.judge(token)
    if (verdict === 'used') this.counters.ignoredAppends += 1
    return verdict
  }

  /** Of the names that are known, as written in the request; the others are left out [observed]. */
  async statuses(pipe: Pipe, names: readonly string[]): Promise<Record<string, unknown>> {
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
    this.#forget(key, channel)
    await this.#deps.committer.remove(channel)
  }

  find(pipe: Pipe, name: string): Channel | undefined {
    const key = channelId(pipe, channelKey(name))
    const channel = this.#channels.get(key)
    if (channel === undefined || this.#deps.clock.now() - channel.record.lastActivityAt <= EXPIRY_MS) return channel
    if (channel.hasUncommittedRows || channel.committing > 0) return channel
    this.#forget(key, channel)
    this.#deps.committer.remove(channel).catch(() => undefined)
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
    const now = this.#deps.clock.now()
    const inPipe = this.all.filter((channel) => qualified(channel.pipe.name) === qualified(pipe.name)).length
    if (inPipe >= this.#settings.channelLimit)
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
  invalidate(name: string, code: string): void {
    for (const channel of this.all) {
      if (channelKey(channel.name) !== channelKey(name)) continue
      channel.invalidate(code)
      this.#deps.committer.save(channel).catch(() => undefined)
    }
  }

  #forget(key: string, channel: Channel): void {
    channel.pending.length = 0
    this.#channels.delete(key)
    this.#recent.delete(channel)
  }

  /** 10 appends per second and channel are allowed [documented]; code and message as seen in 429 answers [observed]. */
  #countRequest(channel: Channel): void {
    const limit = this.#settings.requestsPerSecond
    if (limit === 0) return
    const now = this.#deps.clock.monotonic()
    const recent = (this.#recent.get(channel) ?? []).filter((at) => at > now - 1000)
    if (recent.length >= limit) throw new Refusal(429, '390701', 'Request rate exceeds max. Try later.')
    this.#recent.set(channel, [...recent, now])
  }
}

function notFound(what: 'DATABASE' | 'SCHEMA' | 'PIPE', name: string): Refusal {
  return new Refusal(
    404,
    `ERR_${what}_DOES_NOT_EXIST_OR_NOT_AUTHORIZED`,
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
