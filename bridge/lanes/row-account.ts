import type { ChannelStatus } from '../snowpipe/status.ts'

/** Snowflake's cumulative counts of a channel at a committed token up to which they agreed with ours. */
export interface AgreedCounts {
  readonly parsed: number
  readonly errors: number
}

export function countsOf(status: ChannelStatus): AgreedCounts {
  return { parsed: status.rowsParsed, errors: status.rowsErrorCount }
}

/**
 * Rows that are about to leave the spool against rows Snowflake says it has parsed since the counts last agreed. It
 * answers 200 and throws rows away in some situations [observed]; only this count shows it. The counts are kept with
 * the device, across openings and restarts, because the situations are those in which a channel is opened anew.
 */
export function settle(
  leaving: number,
  agreed: AgreedCounts,
  status: ChannelStatus,
): { readonly rejected: number; readonly disagreement: string | undefined } {
  const parsed = status.rowsParsed - agreed.parsed
  if (parsed !== leaving)
    return { rejected: 0, disagreement: `${leaving} rows were sent up to here and ${parsed} were parsed` }
  return { rejected: Math.max(0, status.rowsErrorCount - agreed.errors), disagreement: undefined }
}
