import { compareTokens, type OffsetToken, sameToken } from '../offset-token.ts'
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
): { readonly rows: number } | { readonly disagreement: string } {
  const { clock, events, ledgers, log, spool } = deps
  const { rejected, disagreement } = settle(device.countTo(committed), device.agreed, status)
  if (disagreement !== undefined) return { disagreement }
  device.agreed = countsOf(status)
  if (rejected > 0) {
    device.counters.rejected += rejected
    events.emit('rows:rejected', device.hostname, rejected, status.lastErrorMessage)
    log.error(
      {
        device: device.hostname,
        rows: rejected,
        reason: status.lastErrorMessage,
        hint: 'look at ERROR_TABLE of the table',
      },
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

/**
 * The row that was refused alone before an earlier process ended, whose neighbour it had sent and could not say so any
 * more: exactly one row fewer was parsed than stands here. It is a dead letter; without this a person would be asked.
 */
export async function keepSuspect(
  committed: OffsetToken,
  status: ChannelStatus,
  device: DeviceLog,
  { onRefusedRow }: Pick<LaneDeps, 'onRefusedRow'>,
): Promise<boolean> {
  const { agreed, suspect } = device
  if (suspect === null || compareTokens(suspect, committed) > 0) return false
  if (device.countTo(committed) - (status.rowsParsed - agreed.parsed) !== 1) return false
  const row = device.rows.find(({ token }) => sameToken(token, suspect))
  if (row === undefined) return false
  await onRefusedRow(device, row, 'Snowflake refused this row alone')
  device.setAside(row)
  return true
}

/** A row was set aside, because it can never be stored: durable first, then everybody hears of it. */
export async function tellSetAside(
  device: DeviceLog,
  { ledgers, onTrimmed, spool }: Pick<LaneDeps, 'ledgers' | 'onTrimmed' | 'spool'>,
): Promise<void> {
  await spool.save([device])
  spool.trimmed(device)
  ledgers.touch(device)
  onTrimmed()
}
