import { Bell } from '../../src/bell.ts'
import type { Log } from '../../src/log.ts'
import type { BatchSettings } from '../config.ts'
import { compareTokens, type OffsetToken } from '../offset-token.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import type { ChannelPath } from '../snowpipe/client.ts'
import { holdRemedy, remedyFor } from '../snowpipe/remedy.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import { verdictOnChannel } from '../snowpipe/verdict.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import { appendBatch } from './append-batch.ts'
import { type FrozenBatch, freezeBatch, planBatch, type Trigger } from './batch.ts'
import { newsIn } from './committed-news.ts'
import { Halving, type Suspect } from './halving.ts'
import type { LaneDeps } from './lane-deps.ts'
import { openChannel } from './open-channel.ts'
import { countsOf, settle } from './row-account.ts'

/*
 * One device's way into its channel. One append in flight; several appended batches may wait for their commit.
 *
 *   resting ──rows──► opening ──ok──► ready ──batch──► appending ──2xx──► ready
 *                        ▲  │                              │ no answer, 5xx, 429: the same bytes again
 *                        │  └─ names, grants ─► blocked    │ too big: ready, with half the rows
 *                        └─────── not ours any more ◄──────┘ (the append, or the status poller, says so)
 *   ready ─ row counts disagree, or the channel is another one ─► held (a person decides)
 *
 * Rows leave the spool only through `observe`, when the committed token has passed them and the counts agree.
 */
export type LaneState = 'resting' | 'opening' | 'ready' | 'appending' | 'blocked' | 'held' | 'closed'

/** 10 requests a second are allowed per channel [documented]; a little less. */
const APPEND_SPACING_MS = 110
/** How long a lane rests after an error that is a bug of ours. */
const AFTER_BUG_MS = 30_000
/** Appended and not committed: more would only pile up at a server that does not commit. */
const MAX_UNCOMMITTED_BATCHES = 16
/** A channel whose rows stay uncommitted this long is opened anew. */
const COMMIT_TIMEOUT_MS = 120_000
/** How soon a lane that is blocked tries again. */
const BLOCKED_RETRY_MS = 60_000

interface OpenChannel {
  continuationToken: string
  /** Changes at each opening: what was asked before says nothing about after. */
  readonly generation: number
  /** Something was appended since. */
  proved: boolean
  /** What was committed before; the same again is no news, whoever wrote it. */
  readonly committedAtOpening: string | null
}

export class Lane {
  readonly device: DeviceLog
  readonly path: ChannelPath
  readonly #deps: LaneDeps
  readonly #policy: BatchSettings
  readonly #log: Log
  readonly #bell = new Bell()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #state: LaneState = 'resting'
  #channel: OpenChannel | undefined
  #generation = 0
  /** Rows at the head of the spool that this opening has appended. */
  #appended = 0
  #inFlight: FrozenBatch | undefined
  /** Aborted when there is no point any more in sending the batch in flight. */
  #sending: AbortController | undefined
  #reopen: string | undefined
  #draining = false
  /** It rests for no other reason than that its rows are young and few. */
  #ageing = false
  #nextAppendAt = Number.NEGATIVE_INFINITY
  readonly #halving = new Halving()
  #lastProgress = 0
  #undeliverableSince: number | undefined

  constructor(device: DeviceLog, path: ChannelPath, policy: BatchSettings, deps: LaneDeps) {
    this.device = device
    this.path = path
    this.#policy = policy
    this.#deps = deps
    this.#log = deps.log.child({ component: 'lane', device: device.hostname })
  }

  get state(): LaneState {
    return this.#state
  }

  /** Since when it is blocked or held without anything having been taken meanwhile, monotonic. */
  get undeliverableSince(): number | undefined {
    return this.#undeliverableSince
  }

  /** What the status poller compares before it reports: an answer from before an opening is worth nothing. */
  get generation(): number {
    return this.#generation
  }

  /** Rows are with Snowflake and not known committed. */
  get awaitsCommit(): boolean {
    return this.#channel !== undefined && (this.#appended > 0 || this.#inFlight !== undefined)
  }

  /** New rows, a ledger acknowledged, anything that may let the lane go on. */
  wake(): void {
    if (this.#state === 'closed' || this.#state === 'held') return
    this.#bell.ring()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // After a bug; or somebody rang between the last look and now.
      if (this.#hasWork() && !this.#stop.signal.aborted) this.wake()
    })
  }

  /** There are more rows: it goes on if that changes anything. With each reading of a fleet it would be woken for nothing. */
  rowsCame(): void {
    if (!this.#hasTime()) this.wake()
  }

  /** From now on rows go out as soon as they can, whatever their age. */
  drain(): void {
    this.#draining = true
    this.wake()
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#stop.abort()
    this.#sending?.abort()
    this.#bell.ring()
    await this.#running
  }

  /** What the status poller has learned of this channel. */
  observe(status: ChannelStatus, generation: number): void {
    const channel = this.#channel
    if (channel === undefined || channel.generation !== generation || this.#state === 'held') return
    const verdict = verdictOnChannel(status.code)
    const committed =
      status.committed === channel.committedAtOpening
        ? undefined
        : newsIn(status.committed, this.device, this.#deps.spool.instance)
    if (verdict !== 'ok') this.#openAnew(`the channel's status is ${status.code}`)
    else if (committed === 'foreign') this.#openAnew(`the committed token ${status.committed} is not ours`)
    else if (committed !== undefined) this.#progress(committed, status)
    else if (this.#deps.clock.monotonic() - this.#lastProgress > COMMIT_TIMEOUT_MS)
      this.#openAnew('nothing was committed for two minutes')
  }

  /** Snowflake does not know the channel any more. */
  vanished(generation: number): void {
    if (this.#channel?.generation === generation) this.#openAnew('the channel is gone')
  }

  /** Rows up to `committed` may leave, if as many were parsed as stand here. */
  #progress(committed: OffsetToken, status: ChannelStatus): void {
    // The answer to the append comes first: until then its rows are not counted as sent.
    if (this.#inFlight !== undefined && compareTokens(this.#inFlight.last, committed) <= 0) return
    const { rejected, disagreement } = settle(this.device.countTo(committed), this.device.agreed, status)
    if (disagreement !== undefined) {
      this.#hold('row_counts', disagreement)
      return
    }
    this.device.agreed = countsOf(status)
    if (rejected > 0) {
      this.device.counters.rejected += rejected
      this.#deps.events.emit('rows:rejected', this.device.hostname, rejected, status.lastErrorMessage)
      this.#log.error(
        { rows: rejected, reason: status.lastErrorMessage, hint: 'look at ERROR_TABLE of the table' },
        'Snowflake could not store rows',
      )
    }
    this.#trim(committed)
    this.wake()
  }

  /** Rows up to `committed` are in the table. */
  #trim(committed: OffsetToken): void {
    const { clock, events, ledgers, spool } = this.#deps
    const oldest = this.device.waitingSince ?? clock.now()
    const rows = this.device.trimTo(committed)
    this.#appended = Math.max(0, this.#appended - rows)
    this.#lastProgress = clock.monotonic()
    if (rows > 0) {
      this.device.lastCommitAt = clock.now()
      events.emit('rows:committed', this.device.hostname, rows, clock.now() - oldest)
    }
    spool.trimmed(this.device)
    ledgers.touch(this.device)
    this.#deps.onTrimmed()
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork() && !this.#stop.signal.aborted) {
        if (this.#channel === undefined || this.#reopen !== undefined) await this.#open()
        else await this.#send(this.#channel)
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return
      // A bug, not an answer: keep the rows, tell, and do not spin.
      this.#log.error({ err: error }, 'the lane failed and will be opened anew')
      this.#reopen = 'an internal error'
      // Not until the bell: every reading rings it.
      await this.#deps.clock.sleep(AFTER_BUG_MS, this.#stop.signal).catch(() => undefined)
    }
  }

  /** It rests until its oldest row is of age, and all there is makes no full batch. */
  #hasTime(): boolean {
    const { max_bytes, max_rows } = this.#policy
    return this.#ageing && this.device.waiting - this.#appended < max_rows && this.device.bytes < max_bytes
  }

  #hasWork(): boolean {
    if (this.#state === 'held' || this.#state === 'closed') return false
    return this.device.waiting > this.#appended || (this.#reopen !== undefined && this.device.waiting > 0)
  }

  async #open(): Promise<void> {
    this.#enter('opening')
    const reason = this.#reopen
    if (reason !== undefined) this.#log.info({ reason }, 'opening the channel again')
    this.#reopen = undefined
    this.#channel = undefined
    this.#inFlight = undefined
    this.#halving.reset()
    this.#appended = 0
    this.#generation++
    const result = await openChannel(this.device, this.path, this.#deps, this.#log, this.#stop.signal)
    switch (result.kind) {
      case 'open':
        this.#channel = {
          continuationToken: result.continuationToken,
          generation: this.#generation,
          proved: false,
          committedAtOpening: result.status.committed,
        }
        if (result.mine !== undefined) this.#progress(result.mine, result.status)
        this.#lastProgress = this.#deps.clock.monotonic()
        this.#enter('ready')
        this.device.opened = true
        this.#deps.trouble.over(this.device.hostname)
        this.#deps.ledgers.touch(this.device)
        // A take-over may have found rows in the table.
        this.#deps.onTrimmed()
        this.#deps.events.emit('channel:opened', this.device.hostname, result.status.committed)
        return
      case 'blocked':
        return this.#blocked(result.answer)
      case 'held':
        return this.#hold('another_channel', result.reason)
      case 'rival':
        this.#hold('rival', result.reason)
        return this.#deps.onRival(result.reason)
    }
  }

  /** One step of sending: wait until a batch is due, or freeze and append it. */
  async #send(channel: OpenChannel): Promise<void> {
    const { clock, ledgers, spool } = this.#deps
    this.#enter('ready')
    if (this.#appended >= MAX_UNCOMMITTED_BATCHES * Math.max(1, this.#policy.max_rows)) return this.#bell.wait()
    const from = this.#appended + this.#halving.skip
    const most = this.#halving.most(this.#policy.max_rows)
    const waiting = this.device.rows.slice(from, from + most)
    if (waiting.length < most && spool.isReading(this.device)) return this.#bell.wait()
    // The first batch after an opening waits for nothing: it shows that the way is open.
    const atOnce = this.#draining || !channel.proved || this.#halving.active
    const plan = planBatch(waiting, this.#policy, clock.monotonic(), atOnce)
    // The next ones are still on the disk; the bell rings when they are here.
    if (plan === undefined) return this.#bell.wait()
    if ('dueInMs' in plan) {
      this.#ageing = true
      await this.#rest(plan.dueInMs)
      this.#ageing = false
      return
    }
    const rows = waiting.slice(0, plan.rows)
    const announced = rows.findIndex((row) => !ledgers.isAnnounced(this.device, row.token.ordinal))
    if (announced === 0) {
      ledgers.announce(this.device)
      return this.#bell.wait()
    }
    const spacing = this.#nextAppendAt - clock.monotonic()
    if (spacing > 0) return this.#rest(spacing)
    // A batch holds rows of announced runs only; the rest follow with the next one.
    await this.#append(channel, announced < 0 ? rows : rows.slice(0, announced), plan.trigger)
  }

  async #append(channel: OpenChannel, rows: readonly SpooledRow[], trigger: Trigger): Promise<void> {
    const { clock, events } = this.#deps
    const batch = await freezeBatch(rows, channel.continuationToken, clock.now())
    // Held meanwhile, or to be opened anew.
    if (this.#reopen !== undefined || !this.#hasWork()) return
    this.#enter('appending')
    this.#inFlight = batch
    this.#sending = new AbortController()
    const { signal } = this.#sending
    const end = await appendBatch(batch, this.path, this.#deps, (answer) => this.#blocked(answer), signal)
    this.#nextAppendAt = clock.monotonic() + APPEND_SPACING_MS
    let bad: Suspect | undefined
    switch (end?.kind) {
      case 'appended':
        channel.continuationToken = end.continuationToken
        channel.proved = true
        this.#undeliverableSince = undefined
        if (this.#appended === 0) this.#lastProgress = clock.monotonic()
        this.#inFlight = undefined
        bad = this.#halving.taken()
        if (bad !== undefined) this.device.setAside(bad.row)
        this.device.pack(this.#appended, batch.rows, batch.body, [batch.first, batch.last])
        this.#appended += batch.rows
        this.#deps.spool.eased(this.device)
        this.#enter('ready')
        this.#deps.trouble.over(this.device.hostname)
        events.emit('batch:appended', this.device.hostname, batch.rows, batch.bytes, trigger)
        if (bad !== undefined) await this.#tellSetAside(bad)
        return
      case 'refused':
        this.#inFlight = undefined
        if (!this.#halving.refused(rows, end.answer, this.device.waiting > this.#appended + 1))
          await this.#blocked(end.answer)
        return
      case 'unclear':
        this.#openAnew(end.reason)
        return
      case undefined:
        // Closed, or to be opened anew: the batch's fate is learned then.
        return
    }
  }

  /** A row that can never be stored: accounted for, so that its publisher lets go of it. */
  async #tellSetAside({ row, answer }: Suspect): Promise<void> {
    this.#deps.onRefusedRow(this.device, row, answer.message)
    await this.#deps.spool.save([this.device])
    this.#deps.spool.trimmed(this.device)
    this.#deps.ledgers.touch(this.device)
    this.#deps.onTrimmed()
  }

  /** Until the bell rings, at most `ms`. */
  #rest(ms: number): Promise<void> {
    return this.#bell.waitAtMost(ms, this.#deps.clock)
  }

  #openAnew(reason: string): void {
    this.#reopen ??= reason
    this.#sending?.abort()
    this.wake()
  }

  async #blocked(answer: Answer): Promise<void> {
    this.#enter('blocked')
    this.#undeliverableSince ??= this.#deps.clock.monotonic()
    const code = codeOf(answer)
    this.#deps.trouble.refused(this.device.hostname, code, answer.message, remedyFor(code))
    this.#deps.events.emit('lane:blocked', this.device.hostname, code, answer.message)
    await this.#deps.clock.sleep(BLOCKED_RETRY_MS, this.#stop.signal).catch(() => undefined)
    this.#deps.events.emit('lane:unblocked', this.device.hostname)
  }

  /** Nobody but a person ends `held`, and nothing follows `closed`. */
  #enter(state: LaneState): void {
    if (this.#state !== 'held' && this.#state !== 'closed') this.#state = state
  }

  /** Nothing more is sent and nothing leaves the spool until a person has looked. */
  #hold(code: string, reason: string): void {
    this.#state = 'held'
    this.#undeliverableSince ??= this.#deps.clock.monotonic()
    this.#sending?.abort()
    this.#log.fatal(
      { code, reason, hint: holdRemedy(this.device.hostname) },
      'this device is held: its rows stay in the spool until you have looked',
    )
    this.#deps.events.emit('lane:blocked', this.device.hostname, code, reason)
  }
}
