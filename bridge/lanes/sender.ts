import type { Bell } from '../../src/bell.ts'
import { Stop, type StopSignal } from '../../src/stop.ts'
import type { BatchSettings } from '../config.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { ChannelPath } from '../snowpipe/client.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import { type AppendEnd, appendBatch, type Blocked } from './append-batch.ts'
import { AppendPace } from './append-pace.ts'
import { type FrozenBatch, freezeBatch, type Trigger } from './batch.ts'
import type { Reopen } from './channel-news.ts'
import { Halving } from './halving.ts'
import type { LaneDeps } from './lane-deps.ts'
import { tellSetAside } from './leaving.ts'
import { nextBatch } from './next-batch.ts'
import type { OpenChannel } from './open-channel.ts'
import type { Standstill } from './standstill.ts'
import type { UnderWay } from './under-way.ts'
import { tooLargeReason, WIRE_LIMIT } from './wire-limit.ts'

/** Appended and not committed: more would only pile up at a server that does not commit. */
const MAX_UNCOMMITTED_BATCHES = 16

/** The lane that sends. */
export interface SendingLane {
  readonly device: DeviceLog
  readonly path: ChannelPath
  readonly underWay: UnderWay
  readonly standstill: Standstill
  /** Rung when there may be something to do. */
  readonly bell: Bell
  /** Aborted when the lane is closed. */
  readonly stop: StopSignal
  readonly enter: (state: 'ready' | 'appending' | 'blocked') => void
  /** False when it is held or closed, or its channel is to be opened anew. */
  readonly isWanted: () => boolean
  readonly openAnew: (again: Reopen) => void
}

/**
 * Appends one lane's rows to a channel that is open: one batch after the other, each in its time, halved where it must be. A row
 * that can never be stored is kept as a dead letter before the device lets go of it. What an append leaves unclear it hands to
 * `openAnew`, and sends nothing more.
 */
export class Sender {
  readonly #policy: BatchSettings
  readonly #deps: LaneDeps
  readonly #lane: SendingLane
  readonly #pace = new AppendPace()
  #nextAppendAt = Number.NEGATIVE_INFINITY
  readonly #halving = new Halving()
  /** Aborted when there is no point any more in sending the batch in flight. */
  #sending: Stop | undefined
  #draining = false
  /** Up to this row nothing waits for a batch to be full. */
  #flushTo: OffsetToken | undefined
  /** It rests for no other reason than that its rows are young and few. */
  #ageing = false

  constructor(policy: BatchSettings, deps: LaneDeps, lane: SendingLane) {
    this.#policy = policy
    this.#deps = deps
    this.#lane = lane
  }

  /** The channel is to be opened: what was tried in it is over. */
  begin(): void {
    this.#halving.reset()
  }

  /** From now on rows wait for nothing. */
  drain(): void {
    this.#draining = true
  }

  /** What waits now waits no longer. */
  flush(): void {
    this.#flushTo = this.#lane.device.newest
  }

  /** There is no point any more in sending the batch in flight. */
  abort(): void {
    this.#sending?.abort()
  }

  /** It rests until its oldest row is of age, and all there is makes no full batch. */
  hasTime(): boolean {
    const { device, underWay } = this.#lane
    const { max_bytes, max_rows } = this.#policy
    return this.#ageing && device.waiting - underWay.appended < max_rows && device.bytes < max_bytes
  }

  /** Waits until a batch is due, or freezes and appends it. */
  async step(channel: OpenChannel): Promise<void> {
    const { clock, ledgers, spool } = this.#deps
    const { bell, device, underWay } = this.#lane
    this.#lane.enter('ready')
    if (underWay.appended >= MAX_UNCOMMITTED_BATCHES * Math.max(1, this.#policy.max_rows)) return bell.wait()
    const next = nextBatch(device, {
      appended: underWay.appended,
      halving: this.#halving,
      policy: this.#policy,
      atOnce: this.#draining || !channel.proved,
      flushTo: this.#flushTo,
      isReading: spool.isReading(device),
      now: clock.monotonic(),
      isAnnounced: (ordinal) => ledgers.isAnnounced(device, ordinal),
    })
    if (next === 'unannounced') ledgers.announce(device)
    // The bell rings when the ledger is with the broker, and when rows have come from the disk.
    if (next === 'unannounced' || next === undefined) return bell.wait()
    if ('dueInMs' in next) {
      this.#ageing = true
      await bell.waitAtMost(next.dueInMs, clock)
      this.#ageing = false
      return
    }
    const spacing = this.#nextAppendAt - clock.monotonic()
    if (spacing > 0) return bell.waitAtMost(spacing, clock)
    await this.#append(channel, next.rows, next.trigger)
  }

  async #append(channel: OpenChannel, rows: readonly SpooledRow[], trigger: Trigger): Promise<void> {
    const { clock, onMoved } = this.#deps
    const { openAnew, path, standstill, underWay } = this.#lane
    let batch: FrozenBatch | undefined
    const freeze = async () => {
      batch = await freezeBatch(rows, channel.continuationToken, clock.now(), this.#deps.encoding)
      // Held meanwhile, or to be opened anew.
      if (!this.#lane.isWanted() || batch.body.length > WIRE_LIMIT) return undefined
      this.#lane.enter('appending')
      underWay.sent(batch)
      return batch
    }
    const signal = new Stop()
    this.#sending = signal
    const blocked: Blocked = async (answer, mayBeTaken, wait) => {
      underWay.refused(!mayBeTaken)
      this.#lane.enter('blocked')
      await standstill.blocked(answer, wait)
      // It was not sent again when there is no point in that any more.
      if (!signal.aborted) underWay.refused(false)
    }
    const sentAt = clock.monotonic()
    const end = await appendBatch(freeze, path, this.#deps, this.#pace, blocked, signal)
    this.#sending = undefined
    if (batch === undefined) return
    if (batch.body.length > WIRE_LIMIT) return this.#tooLarge(rows, batch)
    this.#nextAppendAt = clock.monotonic() + this.#pace.spacingMs
    switch (end?.kind) {
      case 'appended':
        channel.continuationToken = end.continuationToken
        channel.proved = true
        return this.#taken(batch, trigger)
      case 'refused':
        return this.#refused(rows, end)
      case 'unclear':
        underWay.refused(!end.mayBeTaken)
        openAnew(end)
        if (end.cause === 'moved') onMoved(path.pipe, sentAt)
        return
      case undefined:
        // Closed, or to be opened anew: the batch's fate is learned then.
        return
    }
  }

  async #taken(batch: FrozenBatch, trigger: Trigger): Promise<void> {
    const { clock, events, onRefusedRow, spool, trouble } = this.#deps
    const { device, underWay } = this.#lane
    const bad = this.#halving.taken()
    if (bad !== undefined) {
      // Kept before it is let go of. Until then the append counts as under way.
      await onRefusedRow(device, bad.row, bad.answer.message)
      device.setAside(bad.row)
    }
    device.pack(underWay.appended, batch.rows, batch.body, [batch.first, batch.last])
    underWay.taken(clock.monotonic())
    spool.eased(device)
    this.#lane.enter('ready')
    trouble.over(device.hostname)
    events.emit('batch:appended', device.hostname, batch.rows, batch.bytes, trigger, batch.billed)
    if (bad !== undefined) await tellSetAside(device, this.#deps)
  }

  async #refused(rows: readonly SpooledRow[], { answer }: Extract<AppendEnd, { kind: 'refused' }>): Promise<void> {
    const { device, path, standstill, stop, underWay } = this.#lane
    underWay.withdrawn()
    if (!this.#halving.refused(rows, answer, device.waiting > underWay.appended + 1)) {
      this.#lane.enter('blocked')
      await standstill.blockedAlone(path.pipe, answer, stop)
    }
    device.suspect = this.#halving.suspect?.token ?? null
    // Its neighbour may be the last thing this process sends.
    if (device.suspect !== null) await this.#deps.spool.save([device])
  }

  /** The batch is halved before it is sent; a row that is too large by itself goes nowhere but to the dead letters. */
  async #tooLarge(rows: readonly SpooledRow[], batch: FrozenBatch): Promise<void> {
    const [only] = rows
    if (rows.length > 1 || only === undefined) return this.#halving.tooLarge(rows.length)
    await this.#deps.onRefusedRow(this.#lane.device, only, tooLargeReason(only, batch.body.length))
    this.#lane.device.setAside(only)
    await tellSetAside(this.#lane.device, this.#deps)
  }
}
