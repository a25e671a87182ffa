import { compareTokens, type OffsetToken, parseToken, sameToken } from '../offset-token.ts'
import type { DeviceLog } from '../spool/device-log.ts'

/** What a committed token says of rows of this device that was not known: nothing, how far, or that others write here. */
export function newsIn(text: string | null, device: DeviceLog, instance: string): OffsetToken | 'foreign' | undefined {
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
