import { Bell } from '../../src/bell.ts'
import type { Log } from '../../src/log.ts'
import type { BatchSettings } from '../config.ts'
import { compareTokens, type OffsetToken } from '../offset-token.ts'
import type { Answer } from '../snowpipe/answer.ts'
import type { ChannelPath } from '../snowpipe/client.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import { appendBatch, type Blocked } from './append-batch.ts'
import { AppendPace } from './append-pace.ts'
import { type FrozenBatch, freezeBatch, type Trigger } from './batch.ts'
import { newsOf, type Reopen } from './channel-news.ts'
import type { Hold, HoldCode } from './decision.ts'
import { Halving, type Suspect } from './halving.ts'
import type { LaneDeps } from './lane-deps.ts'
import { keepSuspect, leaveUpTo } from './leaving.ts'
import { nextBatch } from './next-batch.ts'
import { type OpenChannel, openChannel } from './open-channel.ts'
import { ReopenLoop } from './reopen-loop.ts'
import { Standstill } from './standstill.ts'
import { tooLargeReason, WIRE_LIMIT } from './wire-limit.ts'

/*
 * One device's way into its channel. One append in flight; several appended batches may wait for their commit.
 *
 *   resting ──rows──► opening ──ok──► ready ──batch──► appending ──2xx──► ready
 *                        ▲  │                              │ no answer, 5xx, 429: the same bytes again
 *                        │  └─ names, grants ─► blocked    │ too big: ready, with half the rows
 *                        └─────── not ours any more ◄──────┘ (the append, or the status poller, says so)
 *   ready ─ row counts disagree, or the channel is another one ─► held ─ a person decides ─► opening
 *
 * Rows leave the spool only through `observe`, when the committed token has passed them and the counts agree.
 */
export const LANE_STATES = ['resting', 'opening', 'ready', 'appending', 'blocked', 'held', 'closed'] as const

export type LaneState = (typeof LANE_STATES)[number]

/** How long a lane rests after an error that is a bug of ours. */
const AFTER_BUG_MS = 30_000
/** Appended and not committed: more would only pile up at a server that does not commit. */
const MAX_UNCOMMITTED_BATCHES = 16
/** A channel whose rows stay uncommitted this long is opened anew. */
const COMMIT_TIMEOUT_MS = 120_000

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
  /** Snowflake has refused the batch in flight each time, and it is not under way just now. */
  #isRefused = false
  /** What was sent before this opening may be in the table, and Snowflake has not said since. */
  #isUnsettled = false
  /** Aborted when there is no point any more in sending the batch in flight. */
  #sending: AbortController | undefined
  #reopen: Reopen | undefined
  /** The same, while Snowflake refuses to open it. */
  #refusedAgain: Reopen | undefined
  #draining = false
  /** It rests for no other reason than that its rows are young and few. */
  #ageing = false
  readonly #pace = new AppendPace()
  #nextAppendAt = Number.NEGATIVE_INFINITY
  readonly #halving = new Halving()
  #lastProgress = 0
  /** Up to this row nothing waits for a batch to be full. */
  #flushTo: OffsetToken | undefined
  readonly #reopens = new ReopenLoop()
  readonly #standstill: Standstill
  #untakenSince: number | undefined
  #takenAt: number | undefined

  constructor(device: DeviceLog, path: ChannelPath, policy: BatchSettings, deps: LaneDeps) {
    this.device = device
    this.path = path
    this.#policy = policy
    this.#deps = deps
    this.#log = deps.log.child({ component: 'lane', device: device.hostname })
    this.#standstill = new Standstill(device, deps, this.#log)
  }

  get state(): LaneState {
    return this.#state
  }

  /** Since when rows wait and Snowflake has taken none, whatever the reason, monotonic. */
  get untakenSince(): number | undefined {
    return this.device.waiting === 0 ? undefined : this.#untakenSince
  }

  /** When Snowflake last took something, monotonic. */
  get takenAt(): number | undefined {
    return this.#takenAt
  }

  /**
   * How often anybody had been served when this lane last failed; infinite while a person must act: a lane that waits while
   * another looks again does not fail any more.
   */
  get failedAfter(): number | undefined {
    return this.#state === 'held' || this.#state === 'blocked'
      ? Number.POSITIVE_INFINITY
      : this.#deps.trouble.failedAfter(this.device.hostname)
  }

  /** What the status poller compares before it reports: an answer from before an opening is worth nothing. */
  get generation(): number {
    return this.#generation
  }

  /** Why it is held, while it is. */
  get hold(): Hold | undefined {
    return this.#standstill.hold
  }

  /** Its channel has to be opened again and again: somebody else seems to open it too. */
  get contested(): boolean {
    return this.#reopens.isLoop(this.#deps.clock.monotonic())
  }

  /** It has a channel and nothing on its way: only who asks learns that the channel is not ours any more. */
  get idle(): boolean {
    return this.#state === 'ready' && !this.awaitsCommit
  }

  /** Rows are with Snowflake and not known committed. */
  get awaitsCommit(): boolean {
    return this.#channel !== undefined && (this.#appended > 0 || this.#inFlight !== undefined)
  }

  /** Rows that wait may be in the table: who gives them up would take them for new ones later. */
  get mayBeTaken(): boolean {
    return this.#isUnsettled || this.#appended > 0 || (this.#inFlight !== undefined && !this.#isRefused)
  }

  /** New rows, a ledger acknowledged, anything that may let the lane go on. */
  wake(): void {
    if (this.#isOver) return
    // The first rows after none.
    if (this.device.waiting > 0) this.#untakenSince ??= this.#deps.clock.monotonic()
    else this.#untakenSince = undefined
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

  /** What waits now goes out as soon as it can. */
  flush(): void {
    this.#flushTo = this.device.newest
    this.wake()
  }

  /** A person has decided, and the spool knows what: the opening that follows carries it out. */
  release(): void {
    if (this.#state !== 'held') return
    this.#state = 'resting'
    this.#standstill.over()
    this.#reopens.reset()
    this.#openAnew({ cause: 'decided', reason: 'it was decided how to go on' })
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#stop.abort()
    this.#sending?.abort()
    this.#deps.roadblocks.left(this.device.hostname, this.path.pipe)
    this.#bell.ring()
    await this.#running
  }

  /** What the status poller has learned of this channel. */
  observe(status: ChannelStatus, generation: number): void {
    const channel = this.#channel
    if (channel === undefined || channel.generation !== generation || this.#isOver) return
    // A batch that Snowflake has not taken yet is the append's own matter.
    const late = this.#appended > 0 && this.#deps.clock.monotonic() - this.#lastProgress > COMMIT_TIMEOUT_MS
    const news = newsOf(status, channel.committedAtOpening, late, this.device, this.#deps.spool.instance)
    if (news?.kind === 'reopen') this.#openAnew(news)
    else if (news !== undefined) {
      // Not at an opening: what was sent before it says nothing of what it has changed.
      this.#standstill.progressed()
      this.#progress(news.committed, status)
    }
  }

  /** Snowflake does not know the channel any more. */
  vanished(generation: number): void {
    if (this.#channel?.generation === generation) this.#openAnew({ cause: 'gone', reason: 'the channel is gone' })
  }

  /** The pipe is served elsewhere since then (monotonic), and knows nothing of what was opened before. */
  moved(since: number): void {
    if (this.#channel !== undefined && this.#channel.openedAt < since)
      this.#openAnew({ cause: 'moved', reason: 'the pipe has failed over' })
  }

  /** Snowflake does not serve the pipe any more; an append might still be answered as if it did. */
  pipeRefused(reason: string): void {
    if (this.#channel !== undefined && !this.#isOver) this.#openAnew({ cause: 'refused', reason })
  }

  /** Rows up to `committed` may leave, if as many were parsed as stand here. */
  #progress(committed: OffsetToken, status: ChannelStatus): void {
    // The answer to the append comes first: until then its rows are not counted as sent.
    if (this.#inFlight !== undefined && compareTokens(this.#inFlight.last, committed) <= 0) return
    const left = leaveUpTo(committed, status, this.device, this.#deps, this.#log)
    if ('disagreement' in left) {
      this.#hold('row_counts', left.disagreement, this.device.incarnation)
      return
    }
    this.#appended = Math.max(0, this.#appended - left.rows)
    this.#lastProgress = this.#deps.clock.monotonic()
    this.wake()
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
      this.#log.error(
        { err: error },
        'an internal error: the channel is opened again in half a minute; the rows stay in the spool',
      )
      this.#reopen = { cause: 'internal_error', reason: 'an internal error' }
      // Not until the bell: every reading rings it.
      await this.#deps.clock.sleep(AFTER_BUG_MS, this.#stop.signal).catch(() => undefined)
    }
  }

  /** It rests until its oldest row is of age, and all there is makes no full batch. */
  #hasTime(): boolean {
    const { max_bytes, max_rows } = this.#policy
    return this.#ageing && this.device.waiting - this.#appended < max_rows && this.device.bytes < max_bytes
  }

  /** Nobody but a person ends `held`, and nothing follows `closed`. */
  get #isOver(): boolean {
    return this.#state === 'held' || this.#state === 'closed'
  }

  #hasWork(): boolean {
    if (this.#isOver) return false
    // A channel that was lost while it was idle is opened before there are rows: the next ones find the way open.
    return this.device.waiting > this.#appended || this.#reopen !== undefined
  }

  async #open(): Promise<void> {
    this.#enter('opening')
    const again = this.#reopen
    if (again !== undefined) {
      if (again !== this.#refusedAgain) await this.#paced(again)
      // Who has opened it may be a bridge that has taken over: opened again, it would be that one that finds a rival.
      await this.#deps.lookForRival()
    }
    // Held or closed meanwhile.
    if (!this.#hasWork()) return
    const lastSent = this.device.rows[this.#appended + (this.#inFlight?.rows ?? 0) - 1]
    this.#reopen = undefined
    this.#isUnsettled = this.mayBeTaken
    this.#channel = undefined
    this.#inFlight = undefined
    this.#halving.reset()
    this.#appended = 0
    this.#generation++
    const result = await openChannel(
      this.device,
      this.path,
      this.#isUnsettled,
      this.#deps,
      this.#log,
      this.#stop.signal,
    )
    switch (result.kind) {
      case 'open':
        this.#channel = {
          continuationToken: result.continuationToken,
          openedAt: this.#deps.clock.monotonic(),
          generation: this.#generation,
          proved: false,
          committedAtOpening: result.status.committed,
        }
        if (result.mine !== undefined) {
          if (await keepSuspect(result.mine, result.status, this.device, this.#deps)) await this.#tellSetAside()
          this.#progress(result.mine, result.status)
        }
        // What is not committed at an opening never will be; but counts may have disagreed.
        this.#isUnsettled = this.hold !== undefined
        this.#lastProgress = this.#deps.clock.monotonic()
        this.#enter('ready')
        this.device.opened = true
        this.#deps.trouble.over(this.device.hostname)
        this.#deps.ledgers.touch(this.device)
        // A take-over may have found rows in the table.
        this.#deps.onTrimmed()
        this.#deps.events.emit('channel:opened', this.device.hostname, result.status.committed)
        if (again !== undefined) this.#tellReopened(again, lastSent)
        return
      case 'blocked':
        this.#enter('blocked')
        await this.#standstill.blockedAtOpening(this.path.pipe, result.answer, result.concern, this.#stop.signal)
        // A lane without rows would leave it at that.
        this.#reopen ??= again
        this.#refusedAgain = again
        return
      case 'held':
        return this.#hold(result.code, result.reason, result.incarnation)
      case 'rival':
        this.#hold('rival', result.reason, null)
        return this.#deps.onRival(result.reason)
    }
  }

  async #paced(again: Reopen): Promise<void> {
    this.#log.info({ cause: again.cause, reason: again.reason }, 'opening the channel again')
    // A conflict has a pace of its own, and says nothing of another owner.
    if (again.conflict !== undefined) {
      if (this.#standstill.isRepeated(again.conflict)) await this.#blockedAlone(again.conflict)
    } else await this.#reopens.paced(this.#log, this.#deps.clock, this.#stop.signal)
  }

  /** What was sent before and is still here comes again. */
  #tellReopened({ cause, reason }: Reopen, lastSent: SpooledRow | undefined): void {
    const rows = lastSent === undefined ? 0 : this.device.rows.indexOf(lastSent) + 1
    if (rows > 0) this.#log.info({ rows }, 'rows after the committed token are sent again')
    this.#deps.events.emit('channel:reopened', this.device.hostname, reason, rows, cause)
  }

  /** One step of sending: wait until a batch is due, or freeze and append it. */
  async #send(channel: OpenChannel): Promise<void> {
    const { clock, ledgers, spool } = this.#deps
    this.#enter('ready')
    if (this.#appended >= MAX_UNCOMMITTED_BATCHES * Math.max(1, this.#policy.max_rows)) return this.#bell.wait()
    const next = nextBatch(this.device, {
      appended: this.#appended,
      halving: this.#halving,
      policy: this.#policy,
      atOnce: this.#draining || !channel.proved,
      flushTo: this.#flushTo,
      isReading: spool.isReading(this.device),
      now: clock.monotonic(),
      isAnnounced: (ordinal) => ledgers.isAnnounced(this.device, ordinal),
    })
    if (next === 'unannounced') ledgers.announce(this.device)
    // The bell rings when the ledger is with the broker, and when rows have come from the disk.
    if (next === 'unannounced' || next === undefined) return this.#bell.wait()
    if ('dueInMs' in next) {
      this.#ageing = true
      await this.#bell.waitAtMost(next.dueInMs, clock)
      this.#ageing = false
      return
    }
    const spacing = this.#nextAppendAt - clock.monotonic()
    if (spacing > 0) return this.#bell.waitAtMost(spacing, clock)
    await this.#append(channel, next.rows, next.trigger)
  }

  async #append(channel: OpenChannel, rows: readonly SpooledRow[], trigger: Trigger): Promise<void> {
    const { clock, events } = this.#deps
    let batch: FrozenBatch | undefined
    const freeze = async () => {
      batch = await freezeBatch(rows, channel.continuationToken, clock.now(), this.#deps.encoding)
      // Held meanwhile, or to be opened anew.
      if (this.#reopen !== undefined || !this.#hasWork() || batch.body.length > WIRE_LIMIT) return undefined
      this.#enter('appending')
      this.#inFlight = batch
      this.#isRefused = false
      return batch
    }
    this.#sending = new AbortController()
    const { signal } = this.#sending
    const refused: Blocked = async (answer, mayBeTaken, wait) => {
      this.#isRefused = !mayBeTaken
      this.#enter('blocked')
      await this.#standstill.blocked(answer, wait)
      // It was not sent again when there is no point in that any more.
      if (!signal.aborted) this.#isRefused = false
    }
    const sentAt = clock.monotonic()
    const end = await appendBatch(freeze, this.path, this.#deps, this.#pace, refused, signal)
    if (batch === undefined) return
    if (batch.body.length > WIRE_LIMIT) return this.#tooLarge(rows, batch)
    this.#nextAppendAt = clock.monotonic() + this.#pace.spacingMs
    let bad: Suspect | undefined
    switch (end?.kind) {
      case 'appended':
        bad = this.#halving.taken()
        // Kept before it is let go of. Until then the append counts as under way.
        if (bad !== undefined) await this.#deps.onRefusedRow(this.device, bad.row, bad.answer.message)
        channel.continuationToken = end.continuationToken
        channel.proved = true
        this.#takenAt = clock.monotonic()
        this.#untakenSince = this.#takenAt
        if (this.#appended === 0) this.#lastProgress = clock.monotonic()
        this.#inFlight = undefined
        if (bad !== undefined) this.device.setAside(bad.row)
        this.device.pack(this.#appended, batch.rows, batch.body, [batch.first, batch.last])
        this.#appended += batch.rows
        this.#deps.spool.eased(this.device)
        this.#enter('ready')
        this.#deps.trouble.over(this.device.hostname)
        events.emit('batch:appended', this.device.hostname, batch.rows, batch.bytes, trigger, batch.billed)
        if (bad !== undefined) await this.#tellSetAside()
        return
      case 'refused':
        this.#inFlight = undefined
        if (!this.#halving.refused(rows, end.answer, this.device.waiting > this.#appended + 1))
          await this.#blockedAlone(end.answer)
        this.device.suspect = this.#halving.suspect?.token ?? null
        // Its neighbour may be the last thing this process sends.
        if (this.device.suspect !== null) await this.#deps.spool.save([this.device])
        return
      case 'unclear':
        this.#isRefused = !end.mayBeTaken
        this.#openAnew(end)
        if (end.cause === 'moved') this.#deps.onMoved(this.path.pipe, sentAt)
        return
      case undefined:
        // Closed, or to be opened anew: the batch's fate is learned then.
        return
    }
  }

  /** A row that can never be stored: accounted for, so that its publisher lets go of it. */
  async #tellSetAside(): Promise<void> {
    await this.#deps.spool.save([this.device])
    this.#deps.spool.trimmed(this.device)
    this.#deps.ledgers.touch(this.device)
    this.#deps.onTrimmed()
  }

  #openAnew(again: Reopen): void {
    this.#reopen ??= again
    this.#sending?.abort()
    this.wake()
  }

  /** The batch is halved before it is sent; a row that is too large by itself goes nowhere but to the dead letters. */
  async #tooLarge(rows: readonly SpooledRow[], batch: FrozenBatch): Promise<void> {
    const [only] = rows
    if (rows.length > 1 || only === undefined) return this.#halving.tooLarge(rows.length)
    await this.#deps.onRefusedRow(this.device, only, tooLargeReason(only, batch.body.length))
    this.device.setAside(only)
    await this.#tellSetAside()
  }

  async #blockedAlone(answer: Answer): Promise<void> {
    this.#enter('blocked')
    await this.#standstill.blockedAlone(this.path.pipe, answer, this.#stop.signal)
  }

  #enter(state: LaneState): void {
    if (!this.#isOver) this.#state = state
  }

  /** Nothing more is sent and nothing leaves the spool until a person has looked. */
  #hold(code: HoldCode, reason: string, incarnation: number | null): void {
    this.#state = 'held'
    this.#sending?.abort()
    this.#deps.roadblocks.left(this.device.hostname, this.path.pipe)
    // Whatever held it back before does so no longer.
    this.#deps.trouble.gone(this.device.hostname)
    this.#standstill.held(code, reason, incarnation)
  }
}
