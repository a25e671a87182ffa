import { backoffMs } from '../../src/backoff.ts'
import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { type Ledger, StreamSets } from '../../src/ledger.ts'
import type { StopSignal } from '../../src/stop.ts'
import { type OffsetToken, parseToken, sameToken } from '../offset-token.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import type { ChannelPath, Opened } from '../snowpipe/client.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import { type Concern, concernOf } from '../snowpipe/verdict.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import { acceptCounts, type Choice, decided, forgetTable, type HoldCode, markCarriedOut } from './decision.ts'
import { hasExpired } from './expired-channel.ts'
import type { LaneDeps } from './lane-deps.ts'
import { isThrottled } from './opening-pace.ts'
import type { Call } from './roadblock.ts'
import { countsOf } from './row-account.ts'
import { knownAtTakeOver, type TakeOver } from './take-over.ts'

/** A channel that is this lane's. */
export interface OpenChannel {
  continuationToken: string
  /** Monotonic. */
  readonly openedAt: number
  /** Changes at each opening: what was asked before says nothing about after. */
  readonly generation: number
  /** Something was appended since. */
  proved: boolean
  /** What was committed before; the same again is no news, whoever wrote it. */
  readonly committedAtOpening: string | null
}

/** How an opening ended. */
export type Opening =
  /** `mine`: the committed token is one this process gave; rows up to it are in the table. */
  | {
      readonly kind: 'open'
      readonly continuationToken: string
      readonly status: ChannelStatus
      readonly mine: OffsetToken | undefined
    }
  /** Names, grants or credentials are wrong; without `concern` somebody else has found that out. */
  | { readonly kind: 'blocked'; readonly answer: Answer; readonly concern?: Concern }
  /** It is another channel than the one we know: a person decides whether the table still has the rows. */
  | Held
  /** Another bridge has written here since we did. */
  | { readonly kind: 'rival'; readonly reason: string }

interface Held {
  readonly kind: 'held'
  readonly code: HoldCode
  readonly reason: string
  readonly incarnation: number | null
}

/** A channel without rows waits as if it had this fraction of one. */
const NO_ROWS = 1_000
const RETRY = { firstMs: 1_000, maxMs: 30_000 }
const UNCOMMITTED_RETRY_MS = 500
const STUCK_RETRY_MS = 5_000
const STUCK = 'rows that are not in this spool stay uncommitted; nothing is thrown away that only Snowflake has'
/** So often an opening may be throttled before anybody hears of it: the pace of the pipe sees to it. */
const THROTTLED_TIMES = 3
/** As long as the official SDK waits for uncommitted rows [observed]. */
const UNCOMMITTED_WAIT_MS = 120_000

/**
 * Opens the channel and finds out what is in the table. Tries until it is open or a person must act. `unsettled`: rows that
 * wait may have been sent since the last opening.
 */
export async function openChannel(
  device: DeviceLog,
  path: ChannelPath,
  unsettled: boolean,
  deps: LaneDeps,
  signal: StopSignal,
): Promise<Opening> {
  const { clock, openingPace, random, roadblocks, snowpipe } = deps
  const call: Call = { device: path.channel, pipe: path.pipe, operation: 'open' }
  const pace = openingPace(path.pipe)
  const weight = weightOf(device, clock)
  const since = clock.monotonic()
  let force = false
  let conflict: string | undefined
  for (let attempt = 0; ; attempt++) {
    const turn: { at: number; ahead: Answer | undefined } = { at: clock.monotonic(), ahead: roadblocks.ahead(call) }
    if (turn.ahead !== undefined) return { kind: 'blocked', answer: turn.ahead }
    const outcome = await pace.pass(
      weight,
      async () => {
        turn.at = clock.monotonic()
        // Many may wait for their turn when the first of them is refused.
        turn.ahead = roadblocks.ahead(call)
        return turn.ahead === undefined ? snowpipe.open(path, !force) : undefined
      },
      signal,
    )
    signal.throwIfAborted()
    if (turn.ahead !== undefined) return { kind: 'blocked', answer: turn.ahead }
    if (outcome === undefined) continue
    const { verdict } = outcome
    if (verdict !== 'retry' && verdict !== 'blocked' && verdict !== 'unauthorized') roadblocks.passed(call)
    switch (outcome.verdict) {
      case 'ok':
        return reconcile({ device, path, unsettled }, outcome.value, deps, signal)
      case 'uncommitted':
        force = clock.monotonic() - since > UNCOMMITTED_WAIT_MS && (await mayForce(device, path, deps))
        if (clock.monotonic() - since > UNCOMMITTED_WAIT_MS && !force) {
          deps.trouble.unavailable(device.hostname, codeOf(outcome.answer), STUCK)
          await clock.sleep(STUCK_RETRY_MS, signal)
        } else await clock.sleep(UNCOMMITTED_RETRY_MS, signal)
        break
      case 'unauthorized':
      case 'blocked':
      case 'split':
        return { kind: 'blocked', answer: outcome.answer, concern: concernOf(outcome.verdict, outcome.answer) }
      case 'reopen_once':
        // It is opened already: the same once more, and a person must look.
        if (conflict === codeOf(outcome.answer)) return { kind: 'blocked', answer: outcome.answer, concern: 'channel' }
        conflict = codeOf(outcome.answer)
        await clock.sleep(backoffMs(attempt, RETRY, random), signal)
        break
      case 'moved':
        deps.onMoved(path.pipe, turn.at)
        await clock.sleep(backoffMs(0, RETRY, random), signal)
        break
      case 'retry':
      case 'reopen':
        if (isThrottled(outcome) && attempt < THROTTLED_TIMES) break
        deps.trouble.unavailable(
          device.hostname,
          codeOf(outcome.answer),
          outcome.answer.message,
          outcome.answer.requestId,
        )
        if (outcome.answer.retryAfterMs === undefined)
          await deps.trouble.rest(backoffMs(attempt, RETRY, random), clock, signal)
        else await clock.sleep(outcome.answer.retryAfterMs, signal)
        signal.throwIfAborted()
    }
  }
}

/**
 * What an opening of this device is worth: its rows times the time they have waited. The most and the oldest come first; a
 * single row gets its turn too, because its time goes on, and a channel behind which nothing waits comes last.
 */
function weightOf(device: DeviceLog, clock: Clock): () => number {
  const since = clock.monotonic()
  return () => {
    const { waiting, waitingSince } = device
    const queued = clock.monotonic() - since
    if (waiting === 0) return queued / NO_ROWS
    // The wall clock may have jumped.
    return waiting * Math.max(queued, clock.now() - (waitingSince ?? clock.now()), 1)
  }
}

/**
 * A forced open throws uncommitted rows away. That is safe only when every row after the committed token is in
 * this spool; otherwise wait, and say so.
 */
async function mayForce(device: DeviceLog, path: ChannelPath, deps: LaneDeps): Promise<boolean> {
  const outcome = await deps.snowpipe.status(path.pipe, [path.channel])
  if (outcome.verdict !== 'ok') return false
  const committed = outcome.value.get(path.channel)?.committed ?? null
  const token = committed === null ? undefined : parseToken(committed)
  const mine = (token !== undefined && isMine(device, token)) || nothingSince(device, committed)
  if (mine)
    deps.log.warn(
      { device: device.hostname },
      'uncommitted rows are stuck; opening by force, they are all in the spool',
    )
  return mine
}

/** Mine: it stands in the spool, or rows were trimmed to it. */
function isMine(device: DeviceLog, token: OffsetToken): boolean {
  return (device.trimmed !== null && sameToken(device.trimmed, token)) || device.holds(token)
}

/** Nothing has been committed since this process took the channel over, or made it: all after that is its own. */
function nothingSince(device: DeviceLog, committed: string | null): boolean {
  return device.opened && device.trimmed === null && committed === device.takenOverAt
}

async function reconcile(
  asked: { readonly device: DeviceLog; readonly path: ChannelPath; readonly unsettled: boolean },
  opened: Opened,
  deps: LaneDeps,
  signal: StopSignal,
): Promise<Opening> {
  const { device } = asked
  const { continuationToken, status } = opened
  const committed = status.committed === null ? undefined : parseToken(status.committed)
  const other = otherIncarnation(device.incarnation, status)
  if (committed !== undefined && isMine(device, committed)) {
    device.incarnation = status.createdOnMs
    const choice = decided(device, 'row_counts', status)
    if (choice !== 'resend') {
      if (choice === 'keep') {
        acceptCounts(device, committed, status)
        markCarriedOut(device)
        await deps.spool.save([device])
      }
      return { kind: 'open', continuationToken, status, mine: committed }
    }
    // Rows that are in doubt are sent once more, so they need tokens above all that were used.
    markCarriedOut(device)
    await takeOver(device, status, { known: new StreamSets(), highestOrdinal: committed.ordinal }, deps)
    return { kind: 'open', continuationToken, status, mine: undefined }
  }
  let choice: Choice | undefined
  if (device.resolved) {
    const asBefore = status.committed === device.takenOverAt && device.trimmed === null
    const change = other ?? (status.committed === null && !asBefore ? FORGOTTEN : undefined)
    if (change !== undefined) {
      const code = other === undefined ? 'forgotten_channel' : 'another_channel'
      choice = decided(device, code, status)
      if (
        choice === undefined &&
        (await hasExpired({ ...asked, status, ledgers: () => readNow(device, deps, signal) }, deps))
      )
        choice = 'keep'
      if (choice === undefined) return held(code, change, status)
    } else if (asBefore) {
      // Nothing of ours has been committed since we took over, or since the channel was made.
      return { kind: 'open', continuationToken, status, mine: undefined }
    } else if (device.opened)
      return {
        kind: 'rival',
        reason: `${status.committed} was committed to ${device.hostname}, and not by this bridge`,
      }
  }
  // Our name on a token we never gave: this spool is an old copy, and its tokens have been used since.
  if (committed?.owner === deps.spool.instance) {
    deps.log.error(
      { device: device.hostname, offsetToken: status.committed },
      'the spool is an old copy: its tokens have been used since; it takes a new name',
    )
    await deps.spool.renew()
    deps.onRenewed()
  }
  let ledger: Ledger | null
  /** A person has said to go on without it. */
  let unread = false
  try {
    ledger = await deps.retainedLedger(device.hostname, signal)
  } catch (error) {
    // What is not known must not be taken for nothing: rows would be sent twice.
    if (!isUnreadable(error)) throw error
    unread = decided(device, 'unreadable_ledger', status) !== undefined
    if (choice === undefined && !unread) return held('unreadable_ledger', error.message, status)
    ledger = null
  }
  signal.throwIfAborted()
  device.readLedger(ledger, deps.spool.instance)
  // Our own words of before this start may repeat a predecessor's that our disk does not know.
  const earlier = ledgersOf(device)
  const [before] = earlier
  if (choice === undefined && !unread) {
    const replaced = otherIncarnation(before?.incarnation ?? null, status)
    const forgot = status.committed === null && typeof before?.last_commit_at === 'string'
    if (replaced !== undefined || forgot) {
      const code = replaced === undefined ? 'forgotten_channel' : 'another_channel'
      choice = decided(device, code, status)
      if (choice === undefined && (await hasExpired({ ...asked, status, ledgers: async () => earlier }, deps)))
        choice = 'keep'
      if (choice === undefined)
        return held(code, replaced ?? `the channel has forgotten what ${before?.instance} committed to it`, status)
    }
  }
  const { known, declared, highestOrdinal } = knownAtTakeOver(committed ?? null, earlier)
  const forgotten = choice === 'resend' ? forgetTable(device) : undefined
  if (choice !== undefined || unread) markCarriedOut(device)
  const inTable = forgotten ? new StreamSets() : known
  await takeOver(device, status, { known: inTable, declared, highestOrdinal, forgotten }, deps)
  if (committed !== undefined || before !== undefined)
    deps.log.info(
      { device: device.hostname, offsetToken: status.committed, ledger: before?.instance },
      'took over the channel',
    )
  return { kind: 'open', continuationToken, status, mine: undefined }
}

/** What was read of this device at the broker, by others first. */
function ledgersOf(device: DeviceLog): Ledger[] {
  return [device.predecessor, device.said].filter((one) => one !== null)
}

/** What stands there now: nothing that was heard before the open tells what another bridge has done since. */
async function readNow(device: DeviceLog, deps: LaneDeps, signal: StopSignal): Promise<readonly Ledger[] | undefined> {
  try {
    device.readLedger(await deps.retainedLedger(device.hostname, signal), deps.spool.instance)
    return ledgersOf(device)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

function isUnreadable(error: unknown): error is SnowhatError {
  return error instanceof SnowhatError && error.code === 'E_LEDGER_UNREADABLE'
}

const FORGOTTEN = 'the channel has forgotten what it committed'

function held(code: HoldCode, reason: string, status: ChannelStatus): Held {
  return { kind: 'held', code, reason, incarnation: status.createdOnMs }
}

async function takeOver(
  device: DeviceLog,
  status: ChannelStatus,
  { known, declared, highestOrdinal, forgotten }: Pick<TakeOver, 'known' | 'declared' | 'highestOrdinal' | 'forgotten'>,
  deps: LaneDeps,
): Promise<void> {
  await deps.spool.takeOver(device, {
    known,
    declared,
    forgotten,
    at: status.committed,
    // Tokens that were final once stay above what was used under them.
    highestOrdinal: Math.max(highestOrdinal, device.resolved ? (device.tail?.ordinal ?? 0) : 0),
    incarnation: status.createdOnMs,
    agreed: countsOf(status),
  })
}

/** Why this is not the channel that was known, `undefined` when it is or when none was known. */
function otherIncarnation(known: number | null, status: ChannelStatus): string | undefined {
  if (known === null || status.createdOnMs === null || known === status.createdOnMs) return undefined
  return `the channel was made at ${new Date(status.createdOnMs).toISOString()}, the one that was known at ${new Date(known).toISOString()}: it was dropped, expired, or its table was replaced`
}
