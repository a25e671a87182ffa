import { Bell } from '../../src/bell.ts'
import { Stop } from '../../src/stop.ts'
import type { BatchSettings } from '../config.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { ChannelPath } from '../snowpipe/client.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import { newsOf, type Reopen } from './channel-news.ts'
import type { Hold, HoldCode } from './decision.ts'
import type { LaneDeps } from './lane-deps.ts'
import { keepSuspect, leaveUpTo, tellSetAside } from './leaving.ts'
import { type OpenChannel, openChannel } from './open-channel.ts'
import { ReopenLoop } from './reopen-loop.ts'
import { Sender } from './sender.ts'
import { Standstill } from './standstill.ts'
import { UnderWay } from './under-way.ts'

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

/** One device's lane: its state, what wakes and ends it, and the opening of its channel. `sender.ts` sends, `under-way.ts` counts. */
export class Lane {
  readonly device: DeviceLog
  readonly path: ChannelPath
  readonly #deps: LaneDeps
  readonly #bell = new Bell()
  readonly #stop = new Stop()
  #running: Promise<void> | undefined
  #state: LaneState = 'resting'
  #channel: OpenChannel | undefined
  #generation = 0
  #reopen: Reopen | undefined
  /** The same, while Snowflake refuses to open it. */
  #refusedAgain: Reopen | undefined
  readonly #reopens = new ReopenLoop()
  readonly #standstill: Standstill
  readonly #underWay = new UnderWay()
  readonly #sender: Sender

  constructor(device: DeviceLog, path: ChannelPath, policy: BatchSettings, deps: LaneDeps) {
    this.device = device
    this.path = path
    this.#deps = deps
    this.#standstill = new Standstill(device, deps)
    this.#sender = new Sender(policy, deps, {
      device,
      path,
      underWay: this.#underWay,
      standstill: this.#standstill,
      bell: this.#bell,
      stop: this.#stop,
      enter: (state) => this.#enter(state),
      isWanted: () => this.#reopen === undefined && this.#hasWork(),
      openAnew: (again) => this.#openAnew(again),
    })
  }

  get state(): LaneState {
    return this.#state
  }

  /** Since when rows wait and Snowflake has taken none, whatever the reason, monotonic. */
  get untakenSince(): number | undefined {
    return this.device.waiting === 0 ? undefined : this.#underWay.untakenSince
  }

  /** When Snowflake last took something, monotonic. */
  get takenAt(): number | undefined {
    return this.#underWay.takenAt
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
    return this.#channel !== undefined && this.#underWay.any
  }

  /** Rows that wait may be in the table: who gives them up would take them for new ones later. */
  get mayBeTaken(): boolean {
    return this.#underWay.mayBeTaken
  }

  /** New rows, a ledger acknowledged, anything that may let the lane go on. */
  wake(): void {
    if (this.#isOver) return
    this.#underWay.waits(this.device.waiting, this.#deps.clock.monotonic())
    this.#bell.ring()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // After a bug; or somebody rang between the last look and now.
      if (this.#hasWork() && !this.#stop.aborted) this.wake()
    })
  }

  /** There are more rows: it goes on if that changes anything. With each reading of a fleet it would be woken for nothing. */
  rowsCame(): void {
    if (!this.#sender.hasTime()) this.wake()
  }

  /** From now on rows go out as soon as they can, whatever their age. */
  drain(): void {
    this.#sender.drain()
    this.wake()
  }

  /** What waits now goes out as soon as it can. */
  flush(): void {
    this.#sender.flush()
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
    this.#sender.abort()
    this.#deps.roadblocks.left(this.device.hostname, this.path.pipe)
    this.#bell.ring()
    await this.#running
  }

  /** What the status poller has learned of this channel. */
  observe(status: ChannelStatus, generation: number): void {
    const channel = this.#channel
    if (channel === undefined || channel.generation !== generation || this.#isOver) return
    const late = this.#underWay.isLate(this.#deps.clock.monotonic())
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
    if (this.#underWay.isAnswerDue(committed)) return
    const left = leaveUpTo(committed, status, this.device, this.#deps)
    if ('disagreement' in left) {
      this.#hold('row_counts', left.disagreement, this.device.incarnation)
      return
    }
    this.#underWay.committed(left.rows, this.#deps.clock.monotonic())
    this.wake()
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork() && !this.#stop.aborted) {
        if (this.#channel === undefined || this.#reopen !== undefined) await this.#open()
        else await this.#sender.step(this.#channel)
      }
    } catch (error) {
      if (this.#stop.aborted) return
      // A bug, not an answer: keep the rows, tell, and do not spin.
      this.#deps.log.error(
        { device: this.device.hostname, err: error },
        'an internal error: the channel is opened again in half a minute; the rows stay in the spool',
      )
      this.#reopen = { cause: 'internal_error', reason: 'an internal error' }
      // Not until the bell: every reading rings it.
      await this.#deps.clock.sleep(AFTER_BUG_MS, this.#stop).catch(() => undefined)
    }
  }

  /** Nobody but a person ends `held`, and nothing follows `closed`. */
  get #isOver(): boolean {
    return this.#state === 'held' || this.#state === 'closed'
  }

  #hasWork(): boolean {
    if (this.#isOver) return false
    // A channel that was lost while it was idle is opened before there are rows: the next ones find the way open.
    return this.device.waiting > this.#underWay.appended || this.#reopen !== undefined
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
    const lastSent = this.device.rows[this.#underWay.rows - 1]
    this.#reopen = undefined
    this.#channel = undefined
    this.#underWay.begin()
    this.#sender.begin()
    this.#generation++
    const { device, path } = this
    const { mayBeTaken } = this.#underWay
    const result = await openChannel(device, path, mayBeTaken, this.#deps, this.#stop)
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
          if (await keepSuspect(result.mine, result.status, this.device, this.#deps))
            await tellSetAside(this.device, this.#deps)
          this.#progress(result.mine, result.status)
        }
        // What is not committed at an opening never will be; but counts may have disagreed.
        this.#underWay.settled(this.hold === undefined, this.#deps.clock.monotonic())
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
        await this.#standstill.blockedAtOpening(this.path.pipe, result.answer, result.concern, this.#stop)
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
    const log = this.#deps.log.child({ device: this.device.hostname })
    log.info({ cause: again.cause, reason: again.reason }, 'opening the channel again')
    // A conflict has a pace of its own, and says nothing of another owner.
    if (again.conflict !== undefined) {
      if (this.#standstill.isRepeated(again.conflict)) {
        this.#enter('blocked')
        await this.#standstill.blockedAlone(this.path.pipe, again.conflict, this.#stop)
      }
    } else await this.#reopens.paced(log, this.#deps.clock, this.#stop)
  }

  /** What was sent before and is still here comes again. */
  #tellReopened({ cause, reason }: Reopen, lastSent: SpooledRow | undefined): void {
    const rows = lastSent === undefined ? 0 : this.device.rows.indexOf(lastSent) + 1
    const device = this.device.hostname
    if (rows > 0) this.#deps.log.info({ device, rows }, 'rows after the committed token are sent again')
    this.#deps.events.emit('channel:reopened', device, reason, rows, cause)
  }

  #openAnew(again: Reopen): void {
    this.#reopen ??= again
    this.#sender.abort()
    this.wake()
  }

  #enter(state: LaneState): void {
    if (!this.#isOver) this.#state = state
  }

  /** Nothing more is sent and nothing leaves the spool until a person has looked. */
  #hold(code: HoldCode, reason: string, incarnation: number | null): void {
    this.#state = 'held'
    this.#sender.abort()
    this.#deps.roadblocks.left(this.device.hostname, this.path.pipe)
    // Whatever held it back before does so no longer.
    this.#deps.trouble.gone(this.device.hostname)
    this.#standstill.held(code, reason, incarnation)
  }
}
