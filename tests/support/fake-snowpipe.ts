import { gunzipSync } from 'node:zlib'
import { noAnswer, readAnswer } from '../../bridge/snowpipe/answer.ts'
import type { AppendRequest, ChannelPath, Opened, Outcome, PipePath, Snowpipe } from '../../bridge/snowpipe/client.ts'
import type { ChannelStatus } from '../../bridge/snowpipe/status.ts'
import { type Operation, verdictOn, verdictOnChannel } from '../../bridge/snowpipe/verdict.ts'
import type { Clock } from '../../src/clock.ts'

export type FakeRow = {
  readonly uuid: string
  readonly stream: string
  readonly seq: number
  readonly [key: string]: unknown
}

/** What happens to a request. */
export type Fault =
  /** It never arrives. */
  | 'lose request'
  /** It is done, and nobody hears of it. */
  | 'lose answer'
  /** It is answered 200, and the rows are thrown away. */
  | 'discard'
  | { readonly status: number; readonly code?: string; readonly retryAfter?: number }

interface Pending {
  readonly rows: readonly FakeRow[]
  readonly end: string
  readonly due: number
}

interface Channel {
  clientSequencer: number
  rowSequencer: number
  committed: string | null
  parsed: number
  errors: number
  code: string
  createdOnMs: number
  pending: Pending[]
}

export interface SeenAppend extends AppendRequest {
  readonly channel: string
  readonly rows: readonly FakeRow[]
}

/** Snowpipe Streaming by its rules for continuation tokens, commits that take their time, and faults on demand. */
export class FakeSnowpipe implements Snowpipe {
  readonly table: FakeRow[] = []
  readonly appends: SeenAppend[] = []
  readonly opens: { readonly channel: string; readonly failOnUncommittedRows: boolean }[] = []
  readonly asked: { readonly pipe: string; readonly channels: readonly string[] }[] = []
  readonly appendFaults: Fault[] = []
  readonly openFaults: Fault[] = []
  readonly statusFaults: Fault[] = []
  readonly dropFaults: Fault[] = []
  /** How long rows stay uncommitted. */
  commitDelayMs = 0
  /** Refuses a batch as a whole, with this status, when it says so. */
  refuses: (rows: readonly FakeRow[]) => number | undefined = () => undefined
  /** Rows Snowflake cannot convert: parsed, counted as errors, not in the table. */
  rejects: (row: FakeRow) => boolean = () => false
  onAppend: (append: SeenAppend) => void = () => undefined
  /** Appends under way at once at one channel, at most. */
  mostInFlight = 0
  /** Appends wait for this before they are looked at. */
  gate: Promise<void> = Promise.resolve()
  createdOnMs = 1_792_000_000_000
  readonly #clock: Clock
  readonly #channels = new Map<string, Channel>()
  readonly #inFlight = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  channel(name: string): Channel {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = {
        clientSequencer: 0,
        rowSequencer: 0,
        committed: null,
        parsed: 0,
        errors: 0,
        code: 'SUCCESS',
        createdOnMs: this.createdOnMs++,
        pending: [],
      }
      this.#channels.set(name, channel)
    }
    return channel
  }

  /** As if the channel had never been. */
  lose(name: string): void {
    this.#channels.delete(name)
  }

  async drop({ channel }: ChannelPath): Promise<Outcome<undefined>> {
    await Promise.resolve()
    const fault = this.dropFaults.shift()
    if (typeof fault === 'object') return answered('drop', fault.status, fault.code ?? '')
    if (fault !== undefined) return lost()
    this.lose(channel)
    return { verdict: 'ok', value: undefined }
  }

  /** Somebody else opens it: all older tokens are worthless. */
  takeAway(name: string): void {
    this.channel(name).clientSequencer++
  }

  async open(path: ChannelPath, failOnUncommittedRows: boolean): Promise<Outcome<Opened>> {
    this.opens.push({ channel: path.channel, failOnUncommittedRows })
    await Promise.resolve()
    const fault = this.openFaults.shift()
    if (fault === 'lose request') return lost()
    if (typeof fault === 'object') return answered('open', fault.status, fault.code ?? '', fault.retryAfter)
    const channel = this.channel(path.channel)
    this.#commitDue()
    if (channel.pending.length > 0 && failOnUncommittedRows)
      return answered('open', 409, 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA')
    channel.pending = []
    channel.clientSequencer++
    channel.rowSequencer = 0
    channel.code = 'SUCCESS'
    if (fault === 'lose answer') return lost()
    const verdict = verdictOnChannel(channel.code)
    if (verdict !== 'ok') return answered('open', 409, channel.code)
    return { verdict, value: { continuationToken: tokenOf(channel), status: statusOf(channel) } }
  }

  async append(path: ChannelPath, append: AppendRequest): Promise<Outcome<{ continuationToken: string }>> {
    const inFlight = (this.#inFlight.get(path.channel) ?? 0) + 1
    this.#inFlight.set(path.channel, inFlight)
    this.mostInFlight = Math.max(this.mostInFlight, inFlight)
    const seen: SeenAppend = { ...append, channel: path.channel, rows: rowsOf(append.body) }
    this.appends.push(seen)
    this.onAppend(seen)
    try {
      await this.gate
      const fault = this.appendFaults.shift()
      if (fault === 'lose request') return lost()
      if (typeof fault === 'object') return answered('append', fault.status, fault.code ?? '', fault.retryAfter)
      const outcome = this.#take(seen, fault === 'discard')
      return fault === 'lose answer' ? lost() : outcome
    } finally {
      this.#inFlight.set(path.channel, (this.#inFlight.get(path.channel) ?? 1) - 1)
    }
  }

  async status({ pipe }: PipePath, channels: readonly string[]): Promise<Outcome<Map<string, ChannelStatus>>> {
    this.asked.push({ pipe, channels })
    await Promise.resolve()
    const fault = this.statusFaults.shift()
    if (typeof fault === 'object') return answered('status', fault.status, fault.code ?? '', fault.retryAfter)
    if (fault !== undefined) return lost()
    this.#commitDue()
    const known = channels.flatMap((name) => {
      const channel = this.#channels.get(name)
      return channel ? [[name, statusOf(channel)] as const] : []
    })
    return { verdict: 'ok', value: new Map(known) }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #take(append: SeenAppend, discard: boolean): Outcome<{ continuationToken: string }> {
    const channel = this.#channels.get(append.channel)
    const [client, row] = append.continuationToken.split('_').map(Number)
    if (channel === undefined) return answered('append', 404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED')
    if (channel.code !== 'SUCCESS') return answered('append', 400, channel.code)
    if (client !== channel.clientSequencer) return answered('append', 400, 'STALE_CONTINUATION_TOKEN_SEQUENCER')
    // A used token: 200, the rows are ignored.
    if (row !== channel.rowSequencer) return { verdict: 'ok', value: { continuationToken: tokenOf(channel) } }
    const refused = this.refuses(append.rows)
    if (refused !== undefined) return answered('append', refused, '')
    const due = this.#clock.monotonic() + this.commitDelayMs
    channel.pending.push({ rows: discard ? [] : append.rows, end: append.endOffsetToken, due })
    channel.rowSequencer++
    return { verdict: 'ok', value: { continuationToken: tokenOf(channel) } }
  }

  #commitDue(): void {
    for (const channel of this.#channels.values())
      for (let batch = channel.pending[0]; batch && batch.due <= this.#clock.monotonic(); batch = channel.pending[0]) {
        channel.pending.shift()
        const good = batch.rows.filter((row) => !this.rejects(row))
        this.table.push(...good)
        channel.committed = batch.end
        channel.parsed += batch.rows.length
        channel.errors += batch.rows.length - good.length
      }
  }
}

function tokenOf(channel: Channel): string {
  return `${channel.clientSequencer}_${channel.rowSequencer}`
}

function statusOf(channel: Channel): ChannelStatus {
  return {
    code: channel.code,
    committed: channel.committed,
    createdOnMs: channel.createdOnMs,
    rowsParsed: channel.parsed,
    rowsErrorCount: channel.errors,
    lastErrorMessage: channel.errors > 0 ? 'Numeric value is not recognized' : null,
  }
}

function rowsOf(body: Buffer): FakeRow[] {
  const lines = gunzipSync(body).toString('utf8').split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as FakeRow)
}

function lost<T>(): Outcome<T> {
  return { verdict: 'retry', answer: noAnswer('other side closed') }
}

/** A refusal, judged as the real client judges it. */
function answered<T>(operation: Operation, status: number, code: string, retryAfter?: number): Outcome<T> {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  const answer = readAnswer(status, headers, code === '' ? '' : JSON.stringify({ code, message: code }))
  const verdict = verdictOn(operation, answer)
  if (verdict === 'ok') throw new Error(`${status} ${code} is no fault`)
  return { verdict, answer }
}
