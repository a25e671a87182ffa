import type { Log } from '../../src/log.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { LaneDeps } from './lane-deps.ts'
import { countsOf, settle } from './row-account.ts'

/**
 * Rows up to `committed` are in the table and leave the spool, if as many were parsed as stand here. The only way out for a
 * row that is not a dead letter. Gives how many left, or why none did.
 */
export function leaveUpTo(
  committed: OffsetToken,
  status: ChannelStatus,
  device: DeviceLog,
  deps: LaneDeps,
  log: Log,
): { readonly rows: number } | { readonly disagreement: string } {
  const { clock, events, ledgers, spool } = deps
  const { rejected, disagreement } = settle(device.countTo(committed), device.agreed, status)
  if (disagreement !== undefined) return { disagreement }
  device.agreed = countsOf(status)
  if (rejected > 0) {
    device.counters.rejected += rejected
    events.emit('rows:rejected', device.hostname, rejected, status.lastErrorMessage)
    log.error(
      { rows: rejected, reason: status.lastErrorMessage, hint: 'look at ERROR_TABLE of the table' },
      'Snowflake could not store rows',
    )
  }
  const oldest = device.waitingSince ?? clock.now()
  const rows = device.trimTo(committed)
  if (rows > 0) {
    device.lastCommitAt = clock.now()
    events.emit('rows:committed', device.hostname, rows, clock.now() - oldest)
  }
  spool.trimmed(device)
  ledgers.touch(device)
  deps.onTrimmed()
  return { rows }
}
