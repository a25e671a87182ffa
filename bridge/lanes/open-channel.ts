import { backoffMs } from '../../src/backoff.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Ledger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import { type OffsetToken, parseToken, sameToken } from '../offset-token.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import type { ChannelPath, Opened } from '../snowpipe/client.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { LaneDeps } from './lane-deps.ts'
import { countsOf } from './row-account.ts'
import { knownAtTakeOver } from './take-over.ts'

/** How an opening ended. */
export type Opening =
  /** `mine`: the committed token is one this process gave; rows up to it are in the table. */
  | {
      readonly kind: 'open'
      readonly continuationToken: string
      readonly status: ChannelStatus
      readonly mine: OffsetToken | undefined
    }
  /** Names, grants or credentials are wrong. */
  | { readonly kind: 'blocked'; readonly answer: Answer }
  /** It is another channel than the one we know: a person decides whether the table still has the rows. */
  | { readonly kind: 'held'; readonly reason: string }
  /** Another bridge has written here since we did. */
  | { readonly kind: 'rival'; readonly reason: string }

const RETRY = { firstMs: 1_000, maxMs: 30_000 }
const UNCOMMITTED_RETRY_MS = 500
const STUCK_RETRY_MS = 5_000
const STUCK = 'rows that are not in this spool stay uncommitted; nothing is thrown away that only Snowflake has'
/** As long as the official SDK waits for uncommitted rows [observed]. */
const UNCOMMITTED_WAIT_MS = 120_000

/** Opens the channel and finds out what is in the table. Tries until it is open or a person must act. */
export async function openChannel(
  device: DeviceLog,
  path: ChannelPath,
  deps: LaneDeps,
  log: Log,
  signal: AbortSignal,
): Promise<Opening> {
  const { clock, openingTurn, random, snowpipe } = deps
  const since = clock.monotonic()
  let force = false
  for (let attempt = 0; ; attempt++) {
    await openingTurn(signal)
    const outcome = await snowpipe.open(path, !force)
    signal.throwIfAborted()
    switch (outcome.verdict) {
      case 'ok':
        return reconcile(device, outcome.value, deps, log, signal)
      case 'uncommitted':
        force = clock.monotonic() - since > UNCOMMITTED_WAIT_MS && (await mayForce(device, path, deps, log))
        if (clock.monotonic() - since > UNCOMMITTED_WAIT_MS && !force) {
          deps.trouble.unavailable(device.hostname, codeOf(outcome.answer), STUCK)
          await clock.sleep(STUCK_RETRY_MS, signal)
        } else await clock.sleep(UNCOMMITTED_RETRY_MS, signal)
        break
      case 'unauthorized':
      case 'blocked':
      case 'split':
        return { kind: 'blocked', answer: outcome.answer }
      case 'retry':
      case 'reopen':
      case 'moved':
        deps.trouble.unavailable(device.hostname, codeOf(outcome.answer), outcome.answer.message)
        if (outcome.answer.retryAfterMs === undefined)
          await deps.trouble.rest(backoffMs(attempt, RETRY, random), clock, signal)
        else await clock.sleep(outcome.answer.retryAfterMs, signal)
        signal.throwIfAborted()
    }
  }
}

/**
 * A forced open throws uncommitted rows away. That is safe only when every row after the committed token is in
 * this spool; otherwise wait, and say so.
 */
async function mayForce(device: DeviceLog, path: ChannelPath, deps: LaneDeps, log: Log): Promise<boolean> {
  const outcome = await deps.snowpipe.status(path.pipe, [path.channel])
  if (outcome.verdict !== 'ok') return false
  const committed = outcome.value.get(path.channel)?.committed ?? null
  const token = committed === null ? undefined : parseToken(committed)
  const mine = (token !== undefined && isMine(device, token)) || nothingSince(device, committed)
  if (mine) log.warn('uncommitted rows are stuck; opening by force, they are all in the spool')
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
  device: DeviceLog,
  opened: Opened,
  deps: LaneDeps,
  log: Log,
  signal: AbortSignal,
): Promise<Opening> {
  const { continuationToken, status } = opened
  const committed = status.committed === null ? undefined : parseToken(status.committed)
  const other = otherIncarnation(device.incarnation, status)
  if (committed !== undefined && isMine(device, committed)) {
    device.incarnation = status.createdOnMs
    return { kind: 'open', continuationToken, status, mine: committed }
  }
  if (device.resolved) {
    if (other !== undefined) return { kind: 'held', reason: other }
    // Nothing of ours has been committed since we took over, or since the channel was made.
    const asBefore = status.committed === device.takenOverAt && device.trimmed === null
    if (asBefore) return { kind: 'open', continuationToken, status, mine: undefined }
    if (status.committed === null) return { kind: 'held', reason: 'the channel has forgotten what it committed' }
    if (device.opened)
      return {
        kind: 'rival',
        reason: `${status.committed} was committed to ${device.hostname}, and not by this bridge`,
      }
  }
  // Our name on a token we never gave: this spool is an old copy, and its tokens have been used since.
  if (committed?.owner === deps.spool.instance) {
    log.error(
      { offsetToken: status.committed },
      'the spool is an old copy: its tokens have been used since; it takes a new name',
    )
    await deps.spool.renew()
    deps.onRenewed()
  }
  let ledger: Ledger | null
  try {
    ledger = await deps.retainedLedger(device.hostname, signal)
  } catch (error) {
    // What is not known must not be taken for nothing: rows would be sent twice.
    if (!(error instanceof SnowhatError && error.code === 'E_LEDGER_UNREADABLE')) throw error
    return { kind: 'held', reason: error.message }
  }
  signal.throwIfAborted()
  device.readLedger(ledger, deps.spool.instance)
  const predecessor = device.predecessor
  const replaced = otherIncarnation(predecessor?.incarnation ?? null, status)
  if (replaced !== undefined) return { kind: 'held', reason: replaced }
  if (status.committed === null && typeof predecessor?.last_commit_at === 'string')
    return { kind: 'held', reason: `the channel has forgotten what ${predecessor.instance} committed to it` }
  const { known, highestOrdinal } = knownAtTakeOver(committed ?? null, predecessor)
  await deps.spool.takeOver(device, {
    known,
    at: status.committed,
    highestOrdinal,
    incarnation: status.createdOnMs,
    agreed: countsOf(status),
  })
  if (committed !== undefined || predecessor !== null)
    log.info({ offsetToken: status.committed, ledger: predecessor?.instance }, 'took over the channel')
  return { kind: 'open', continuationToken, status, mine: undefined }
}

/** Why this is not the channel that was known, `undefined` when it is or when none was known. */
function otherIncarnation(known: number | null, status: ChannelStatus): string | undefined {
  if (known === null || status.createdOnMs === null || known === status.createdOnMs) return undefined
  return `the channel was made at ${new Date(status.createdOnMs).toISOString()}, the one that was known at ${new Date(known).toISOString()}: it was dropped, expired, or its table was replaced`
}
