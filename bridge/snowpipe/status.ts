import { fieldOf } from './answer.ts'

/** A channel's state as Snowflake reports it, in the answer to an open and in a bulk status. */
export interface ChannelStatus {
  readonly code: string
  /** The offset token of the last committed rowset; `null` for a channel that never committed. */
  readonly committed: string | null
  /** The channel's incarnation: another value means another channel of the same name. */
  readonly createdOnMs: number | null
  readonly rowsParsed: number
  /** Cumulative for the channel's life; only the growth means anything [observed]. */
  readonly rowsErrorCount: number
  readonly lastErrorMessage: string | null
}

export function readChannelStatus(value: unknown): ChannelStatus {
  const committed = fieldOf(value, 'last_committed_offset_token')
  const createdOn = fieldOf(value, 'created_on_ms')
  const message = fieldOf(value, 'last_error_message')
  return {
    code: String(fieldOf(value, 'channel_status_code') ?? ''),
    committed: typeof committed === 'string' && committed !== '' ? committed : null,
    createdOnMs: createdOn === undefined || createdOn === null ? null : Number(createdOn),
    rowsParsed: count(fieldOf(value, 'rows_parsed')),
    // One documentation page names it rows_errors, all others and every client rows_error_count.
    rowsErrorCount: count(fieldOf(value, 'rows_error_count') ?? fieldOf(value, 'rows_errors')),
    lastErrorMessage: typeof message === 'string' && message !== '' ? message : null,
  }
}

function count(value: unknown): number {
  const n = Number(value ?? 0)
  return Number.isFinite(n) ? n : 0
}
