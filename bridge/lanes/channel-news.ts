import { compareTokens, type OffsetToken, parseToken, sameToken } from '../offset-token.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import { verdictOnChannel } from '../snowpipe/verdict.ts'
import type { DeviceLog } from '../spool/device-log.ts'

/** What follows from a channel's status; `undefined` when nothing does. */
export type ChannelNews =
  | { readonly kind: 'committed'; readonly committed: OffsetToken }
  | { readonly kind: 'reopen'; readonly reason: string }

/** `atOpening`: what was committed then; the same again is no news, whoever wrote it. `late`: a commit is overdue. */
export function newsOf(
  status: ChannelStatus,
  atOpening: string | null,
  late: boolean,
  device: DeviceLog,
  instance: string,
): ChannelNews | undefined {
  if (verdictOnChannel(status.code) !== 'ok')
    return { kind: 'reopen', reason: `the channel's status is ${status.code}` }
  const committed = status.committed === atOpening ? undefined : newsIn(status.committed, device, instance)
  if (committed === 'foreign') return { kind: 'reopen', reason: `the committed token ${status.committed} is not ours` }
  if (committed !== undefined) return { kind: 'committed', committed }
  return late ? { kind: 'reopen', reason: 'nothing was committed for two minutes' } : undefined
}

/** What a committed token says of rows of this device that was not known: nothing, how far, or that others write here. */
function newsIn(text: string | null, device: DeviceLog, instance: string): OffsetToken | 'foreign' | undefined {
  if (text === null) return undefined
  const committed = parseToken(text)
  const { trimmed } = device
  // Rows have left up to it: said once more it is no news, whatever name it bears.
  if (committed !== undefined && trimmed !== null && sameToken(committed, trimmed)) return undefined
  const ours = committed?.owner === instance
  // Rows of before a change of name bear the old one.
  if (committed === undefined || !(ours || device.waits(committed))) return 'foreign'
  return trimmed === null || compareTokens(committed, trimmed) > 0 ? committed : undefined
}
