import { type Ledger, StreamSets } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { BridgeOwnSettings } from '../config.ts'
import { compareTokens } from '../offset-token.ts'
import type { ChannelPath, Snowpipe } from '../snowpipe/client.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import { verdictOnChannel } from '../snowpipe/verdict.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Spool } from '../spool/spool.ts'

/*
 * A channel that is gone was dropped, has expired, or went with its pipe or table. In the last case the rows may be gone too,
 * and only a person knows. That it has expired can be known without one:
 *
 * - by our own record nothing was done on it for 30 days before the new one was made, after which the service deletes it
 *   [documented];
 * - another channel of the same pipe is still the one it was before that: a pipe or a table that is replaced takes all channels
 *   with it [documented], so neither was;
 * - nothing that waits can have been sent to the channel that is gone.
 *
 * Then the table has all that is known committed, and all that waits is new: exactly what a person would answer with `keep`.
 */

/** Without activity a channel and its offset token are deleted after it [documented]. */
const EXPIRES_AFTER_MS = 30 * 86_400_000
/** What our clock and the service's may differ: with more nobody can sign in with a key [documented]. */
const CLOCKS_DIFFER_MS = 3_600_000
/** Asked for in one request. Most fleets have one that talks. */
const WITNESSES = 100

export interface ExpiryDeps {
  readonly log: Log
  readonly spool: Pick<Spool, 'devices'>
  readonly snowpipe: Pick<Snowpipe, 'status'>
  readonly expiredChannels: BridgeOwnSettings['expired_channels']
}

/** What was there instead of the channel that was known. */
export interface Found {
  readonly device: DeviceLog
  readonly path: ChannelPath
  readonly status: ChannelStatus
  /** Rows of this process may have been sent to the channel that is gone. */
  readonly unsettled: boolean
  /** What is retained of this device, read after the new channel was found; `undefined` when it cannot be read. */
  readonly ledgers: () => Promise<readonly Ledger[] | undefined>
}

/** Whether the channel that is gone has expired, and nothing else has happened to it. */
export async function hasExpired(found: Found, deps: ExpiryDeps): Promise<boolean> {
  const { device, path, status } = found
  const { expiredChannels, log } = deps
  if (expiredChannels === 'ask' || status.createdOnMs === null || mayHaveSent(found)) return false
  const ledgers = await found.ledgers()
  if (ledgers === undefined || ledgers.some(hasOpenRuns)) return false
  const activeAt = lastActivity(device, ledgers)
  if (activeAt === undefined || status.createdOnMs - activeAt < EXPIRES_AFTER_MS) return false
  const witness = expiredChannels === 'keep' ? undefined : await witnessOf(device, path, activeAt, deps)
  if (witness === undefined && expiredChannels !== 'keep') return false
  log.info(
    { device: device.hostname, activeAt: new Date(activeAt).toISOString(), witness },
    'the channel has expired after 30 days without rows; what was committed is in the table, and a new one is used',
  )
  return true
}

/** The last thing known to have been done on the channel, epoch milliseconds. */
function lastActivity(device: DeviceLog, ledgers: readonly Ledger[]): number | undefined {
  const told = ledgers.flatMap(({ incarnation, last_commit_at: at }) => [
    incarnation,
    at === null ? null : Date.parse(at),
  ])
  const times = [device.lastCommitAt, device.incarnation, ...told].filter((time) => time !== null)
  return times.length === 0 ? undefined : Math.max(...times)
}

/** By this process, or by an earlier one. */
function mayHaveSent({ device, unsettled }: Found): boolean {
  const [oldest] = device.spans
  const isEarlier =
    oldest !== undefined && device.given !== null && compareTokens({ ...oldest, seq: oldest.first }, device.given) <= 0
  return unsettled || isEarlier
}

/** Rows were announced that are not known committed. */
function hasOpenRuns(ledger: Ledger): boolean {
  const committed = StreamSets.from(ledger, 'committed')
  return ledger.runs.some(({ stream, first, last }) => committed.holes(stream, first, last).length > 0)
}

/** A channel of the pipe that was there when this one was last used, and is the same today. */
async function witnessOf(
  device: DeviceLog,
  { pipe }: ChannelPath,
  activeAt: number,
  { snowpipe, spool }: ExpiryDeps,
): Promise<string | undefined> {
  const asked = new Map<string, number>()
  for (const other of [...spool.devices()].sort((a, b) => (b.lastCommitAt ?? 0) - (a.lastCommitAt ?? 0))) {
    if (other === device || other.pipe !== pipe.pipe || other.incarnation === null) continue
    if (other.incarnation <= activeAt - CLOCKS_DIFFER_MS) asked.set(other.hostname, other.incarnation)
    if (asked.size >= WITNESSES) break
  }
  if (asked.size === 0) return undefined
  // Asked now, after the new channel was made: what is the same today was so all the time.
  const outcome = await snowpipe.status(pipe, [...asked.keys()])
  if (outcome.verdict !== 'ok') return undefined
  for (const [hostname, incarnation] of asked) {
    const status = outcome.value.get(hostname)
    if (status?.createdOnMs === incarnation && verdictOnChannel(status.code) === 'ok') return hostname
  }
  return undefined
}
