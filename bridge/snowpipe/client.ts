import { randomUUID } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../src/clock.ts'
import type { SnowflakeSettings } from '../config.ts'
import { accountHost } from './account.ts'
import { type ChannelPath, channelAddress, type PipePath, pipeAddress } from './address.ts'
import { type Answer, fieldOf, textOrField } from './answer.ts'
import type { Credential, Identity } from './credentials.ts'
import { createDispatcher } from './dispatcher.ts'
import { renewalOf } from './sign-in/expiry.ts'
import type { AppendRequest, Opened, Outcome, Snowpipe } from './snowpipe.ts'
import { type ChannelStatus, readChannelStatus } from './status.ts'
import { Suspicion } from './suspicion.ts'
import { Transport } from './transport.ts'
import { type Operation, verdictOn, verdictOnChannel } from './verdict.ts'

export type { ChannelPath, PipePath } from './address.ts'
export type { AppendRequest, Opened, Outcome, Snowpipe } from './snowpipe.ts'

/** Milliseconds from the request to the last byte of the answer. */
const TIME_LIMITS = { control: 30_000, append: 30_000, open: 60_000 }
/** Between two sign-ins when one was throttled and the service has not said how long to wait. */
const SIGN_IN_PAUSE_MS = 1_000
/** How often the file of a token is looked at that is not ours to renew. */
const LOOK_AT_TOKEN_MS = 30_000
/** A sign-in that is refused is repeated so often while there is a reason to: another host, key, token or time. */
const SIGN_INS = 3
/** [documented; which of the two follows a drop is assumed] */
const UNKNOWN_CHANNEL = new Set(['ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED', 'ERR_CHANNEL_NO_LONGER_EXISTS'])

export interface SnowpipeDeps {
  readonly clock: Clock
  readonly identity: Identity
  /** Replaces the network in tests. */
  readonly dispatcher?: Dispatcher
  /** Shorter ones in tests. */
  readonly timeLimits?: Partial<typeof TIME_LIMITS>
}

export function connectSnowpipe(settings: SnowflakeSettings, deps: SnowpipeDeps): Snowpipe {
  return new RestClient(settings, deps)
}

/** What signing in has brought. */
export interface Session {
  readonly ingest: string
  readonly credential: Credential
  /** Monotonic: the clock of this machine may be wrong, and be set. */
  readonly renewAt: number
}

/** Signs in as a bridge would, and does nothing else. */
export async function trySignIn(settings: SnowflakeSettings, deps: SnowpipeDeps): Promise<Outcome<Session>> {
  const client = new RestClient(settings, deps)
  try {
    return await client.signedIn()
  } finally {
    await client.close()
  }
}

class RestClient implements Snowpipe {
  readonly #settings: SnowflakeSettings
  readonly #limits: typeof TIME_LIMITS
  readonly #clock: Clock
  readonly #identity: Identity
  readonly #transport: Transport
  readonly #control: URL
  readonly #suspicion: Suspicion
  /** By channel. */
  readonly #affinities = new Map<string, string>()
  #ingest: string | undefined
  #session: Session | undefined
  #signingIn: Promise<Outcome<Session>> | undefined
  /** A sign-in was throttled, and until then (monotonic) nobody tries another. */
  #throttled: { readonly outcome: Outcome<Session>; readonly until: number } | undefined

  constructor(settings: SnowflakeSettings, deps: SnowpipeDeps) {
    this.#settings = settings
    this.#limits = { ...TIME_LIMITS, ...deps.timeLimits }
    this.#clock = deps.clock
    this.#identity = deps.identity
    this.#transport = new Transport(deps.dispatcher ?? createDispatcher(settings), deps.clock)
    this.#suspicion = new Suspicion(deps.clock)
    this.#control = new URL(settings.url !== '' ? settings.url : `https://${accountHost(settings.account)}`)
  }

  async open(path: ChannelPath, failOnUncommittedRows: boolean): Promise<Outcome<Opened>> {
    const outcome = await this.#onIngest('open', 'PUT', channelAddress('', path), {
      timeoutMs: this.#limits.open,
      json: { fail_on_uncommitted_rows: failOnUncommittedRows },
    })
    if (outcome.verdict !== 'ok') return outcome
    const continuationToken = fieldOf(outcome.value.body, 'next_continuation_token')
    const status = readChannelStatus(fieldOf(outcome.value.body, 'channel_status'))
    const verdict = verdictOnChannel(status.code)
    // An open can answer 200 and still say that the channel is of no use [documented].
    if (verdict !== 'ok') return { verdict, answer: { ...outcome.value, code: status.code } }
    if (typeof continuationToken !== 'string') return { verdict: 'retry', answer: outcome.value }
    return { verdict: 'ok', value: { continuationToken, status } }
  }

  async append(path: ChannelPath, append: AppendRequest): Promise<Outcome<{ continuationToken: string }>> {
    const query = new URLSearchParams({
      continuationToken: append.continuationToken,
      startOffsetToken: append.startOffsetToken,
      endOffsetToken: append.endOffsetToken,
    })
    const channel = channelAddress('/data', path)
    const affinity = this.#affinities.get(channel)
    const outcome = await this.#onIngest('append', 'POST', `${channel}/rows?${query}`, {
      timeoutMs: this.#limits.append,
      requestId: append.requestId,
      body: append.body,
      headers: {
        'content-type': 'application/x-ndjson',
        'content-encoding': append.encoding,
        // Not documented; official clients send it [observed].
        'x-snowflake-uncompressed-content-length': String(append.bytes),
        ...(affinity !== undefined && { 'x-snowflake-session': affinity }),
      },
    })
    this.#noteAffinity(channel, outcome.verdict === 'ok' ? outcome.value : outcome.answer)
    if (outcome.verdict !== 'ok') return outcome
    const continuationToken = fieldOf(outcome.value.body, 'next_continuation_token')
    if (typeof continuationToken !== 'string') return { verdict: 'retry', answer: outcome.value }
    return { verdict: 'ok', value: { continuationToken } }
  }

  async status(pipe: PipePath, channels: readonly string[]): Promise<Outcome<Map<string, ChannelStatus>>> {
    const outcome = await this.#onIngest('status', 'POST', `${pipeAddress('', pipe)}:bulk-channel-status`, {
      timeoutMs: this.#limits.control,
      json: { channel_names: channels },
    })
    if (outcome.verdict !== 'ok') return outcome
    const statuses = fieldOf(outcome.value.body, 'channel_statuses')
    const entries = typeof statuses === 'object' && statuses !== null ? Object.entries(statuses) : []
    return { verdict: 'ok', value: new Map(entries.map(([name, value]) => [name, readChannelStatus(value)])) }
  }

  async drop(path: ChannelPath): Promise<Outcome<undefined>> {
    const outcome = await this.#onIngest('drop', 'DELETE', channelAddress('', path), {
      timeoutMs: this.#limits.control,
      json: {},
    })
    if (outcome.verdict === 'ok' || UNKNOWN_CHANNEL.has(outcome.answer.code)) return { verdict: 'ok', value: undefined }
    return outcome
  }

  async close(): Promise<void> {
    await this.#transport.close()
  }

  /** An answer without the header takes it back [observed]. */
  #noteAffinity(channel: string, { session, status }: Answer): void {
    if (session !== undefined) this.#affinities.set(channel, session)
    else if (status !== undefined) this.#affinities.delete(channel)
  }

  /** A call to the ingest host; a credential that is refused is renewed once and the same request made again. */
  async #onIngest(
    operation: Operation,
    method: 'PUT' | 'POST' | 'DELETE',
    path: string,
    what: { timeoutMs: number; requestId?: string } & (
      | { json: unknown }
      | { body: Buffer; headers: Readonly<Record<string, string>> }
    ),
  ): Promise<Outcome<Answer>> {
    const requestId = what.requestId ?? randomUUID()
    if (this.#suspicion.due) await this.#discoverAgain()
    for (let attempt = 0; ; attempt++) {
      const session = await this.signedIn()
      if (session.verdict !== 'ok') return { ...session, answer: { ...session.answer, ofAccount: true } }
      const answer = await this.#call(new URL(path, session.value.ingest), {
        method,
        requestId,
        credential: session.value.credential,
        timeoutMs: what.timeoutMs,
        ...('json' in what
          ? { body: JSON.stringify(what.json), headers: { 'content-type': 'application/json' } }
          : { body: what.body, headers: what.headers }),
      })
      this.#suspicion.note(answer)
      const verdict = verdictOn(operation, answer)
      // Of many calls that one session served, the first to be refused ends it; for the others there is a new one.
      if ((verdict === 'unauthorized' || verdict === 'moved') && this.#session === session.value)
        await this.#refused(answer, verdict === 'moved')
      if (verdict === 'unauthorized' && attempt === 0) continue
      return verdict === 'ok' ? { verdict, value: answer } : { verdict, answer }
    }
  }

  /** True when the next sign-in has another credential. */
  #refused(answer: Answer, hostToo: boolean): Promise<boolean> {
    this.#session = undefined
    if (hostToo) {
      this.#ingest = undefined
      this.#affinities.clear()
    }
    return this.#identity.refused(answer)
  }

  /** The host's name may be another by now; as long as nobody says so the old one stands. */
  async #discoverAgain(): Promise<void> {
    const before = this.#ingest
    this.#ingest = undefined
    const host = await this.#discover(await this.#identity.credential())
    this.#ingest ??= before
    if (host.verdict === 'ok' && host.value !== before) {
      // The token is of the old host.
      this.#session = undefined
      this.#affinities.clear()
    }
  }

  /** The ingest host and a credential for it; one sign-in at a time for all callers. */
  async signedIn(): Promise<Outcome<Session>> {
    if (this.#session !== undefined && this.#clock.monotonic() < this.#session.renewAt)
      return { verdict: 'ok', value: this.#session }
    if (this.#throttled !== undefined && this.#clock.monotonic() < this.#throttled.until) return this.#throttled.outcome
    this.#signingIn ??= this.#signIn()
      .then((outcome) => {
        this.#noteThrottling(outcome)
        return outcome
      })
      .finally(() => {
        this.#signingIn = undefined
      })
    return this.#signingIn
  }

  /** All who call would sign in, each at its own pace. */
  #noteThrottling(outcome: Outcome<Session>): void {
    this.#throttled = undefined
    if (outcome.verdict === 'ok' || (outcome.answer.status !== 429 && outcome.answer.retryAfterMs === undefined)) return
    const pauseMs = outcome.answer.retryAfterMs ?? SIGN_IN_PAUSE_MS
    this.#throttled = { outcome, until: this.#clock.monotonic() + pauseMs }
  }

  /**
   * Whatever was kept from earlier may be the reason of a refusal: a key or a token that was replaced, a JWT signed by a clock
   * that is wrong, or the name of the ingest host from before a fail-over, which the scope must not name any more [code of that
   * refusal assumed].
   */
  async #signIn(): Promise<Outcome<Session>> {
    for (let attempt = 1; ; attempt++) {
      const isHostKept = this.#ingest !== undefined
      const session = await this.#exchange()
      if (session.verdict === 'ok' || session.verdict === 'retry') return session
      const isWorthwhile = (await this.#refused(session.answer, true)) || isHostKept
      if (isWorthwhile && attempt < SIGN_INS) continue
      if (session.verdict !== 'unauthorized') return session
      return { ...session, answer: { ...session.answer, hint: this.#identity.hint } }
    }
  }

  async #exchange(): Promise<Outcome<Session>> {
    const own = await this.#identity.credential()
    const host = await this.#discover(own)
    if (host.verdict !== 'ok') return host
    const ingest = host.value
    if (!this.#identity.exchanged) {
      this.#session = { ingest, credential: own, renewAt: this.#clock.monotonic() + LOOK_AT_TOKEN_MS }
      return { verdict: 'ok', value: this.#session }
    }
    const role = this.#settings.role === '' ? '' : ` session:role:${this.#settings.role}`
    const answer = await this.#call(new URL('/oauth/token', this.#control), {
      method: 'POST',
      credential: own,
      timeoutMs: this.#limits.control,
      // The exchange takes no token-type header [observed].
      withoutKind: true,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        scope: `${new URL(ingest).hostname}${role}`,
      }).toString(),
    })
    const verdict = verdictOn('token', answer)
    if (verdict !== 'ok') return { verdict, answer }
    const token = textOrField(answer.body, 'token', 'access_token')
    if (token === undefined) return { verdict: 'retry', answer }
    const issuedAt = answer.serverTime ?? this.#clock.now()
    const renewAt = this.#clock.monotonic() + renewalOf(token, issuedAt) - issuedAt
    this.#session = { ingest, credential: { token, kind: 'OAUTH' }, renewAt }
    return { verdict: 'ok', value: this.#session }
  }

  async #discover(own: Credential): Promise<Outcome<string>> {
    if (this.#ingest !== undefined) return { verdict: 'ok', value: this.#ingest }
    const answer = await this.#call(new URL('/v2/streaming/hostname', this.#control), {
      method: 'GET',
      credential: own,
      timeoutMs: this.#limits.control,
    })
    const verdict = verdictOn('hostname', answer)
    if (verdict !== 'ok') return { verdict, answer }
    const host = ingestHost(textOrField(answer.body, 'hostname', 'ingest_host') ?? '')
    if (host === undefined) return { verdict: 'retry', answer: { ...answer, message: 'the answer names no host' } }
    const ingest = new URL(this.#control)
    ingest.hostname = host
    this.#ingest = ingest.origin
    return { verdict: 'ok', value: this.#ingest }
  }

  #call(
    url: URL,
    call: {
      method: Dispatcher.HttpMethod
      credential: Credential
      timeoutMs: number
      requestId?: string
      withoutKind?: boolean
      headers?: Readonly<Record<string, string>>
      body?: string | Buffer
    },
  ): Promise<Answer> {
    url.searchParams.set('requestId', call.requestId ?? randomUUID())
    const { token, kind } = call.credential
    return this.#transport.call(url, {
      method: call.method,
      timeoutMs: call.timeoutMs,
      headers: {
        authorization: `Bearer ${token}`,
        ...(!call.withoutKind && { 'x-snowflake-authorization-token-type': kind }),
        ...call.headers,
      },
      ...(call.body !== undefined && { body: call.body }),
    })
  }
}

/** The host's name as it may be used: underscores break TLS and DNS and are hyphens there [documented]. */
function ingestHost(answer: string): string | undefined {
  const host = answer
    .replace(/^https?:\/\//, '')
    .replaceAll('_', '-')
    .toLowerCase()
  return host === '' || /[\s/]/.test(host) ? undefined : host
}
