import { SnowhatError } from '../../src/errors.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'

/**
 * Bytes of one append, after compression. Snowflake takes 4 MB [documented]; clients stay a little below [observed], because it is
 * not said which megabyte is meant.
 */
export const WIRE_LIMIT = 3_800_000

/** A batch no larger than the limit before compression fits in any case. Throws `E_CONFIG_INVALID`. */
export function checkBatchBytes(maxBytes: number): void {
  if (maxBytes <= WIRE_LIMIT) return
  throw new SnowhatError('E_CONFIG_INVALID', `batch.max_bytes is ${maxBytes}, and Snowflake takes 4 MB at a time`, {
    hint: `set SNOWHAT_BATCH_MAX_BYTES to ${WIRE_LIMIT} or less; the default of 1,000,000 is enough for every fleet`,
  })
}

/** Why a row can never be sent. */
export function tooLargeReason(row: SpooledRow, wireBytes: number): string {
  return `a row of ${row.json.length} bytes: compressed it has ${wireBytes}, and Snowflake takes 4 MB at a time`
}
