import { randomUUID } from 'node:crypto'
import { compressed, type Encoding } from '../compression.ts'
import type { BatchSettings } from '../config.ts'
import { billedBytes } from '../cost/billed-bytes.ts'
import { ADDED_BYTES, ndjsonOf } from '../ndjson.ts'
import { formatToken, type OffsetToken } from '../offset-token.ts'
import type { AppendRequest } from '../snowpipe/client.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'

/** Which limit closed a batch. */
export type Trigger = 'rows' | 'bytes' | 'age' | 'drain'

/** A batch whose bytes, tokens and request id never change again, until its fate is known. */
export interface FrozenBatch extends AppendRequest {
  readonly rows: number
  /** What Snowflake counts of its bytes, estimated. */
  readonly billed: number
  readonly first: OffsetToken
  readonly last: OffsetToken
}

type Limits = Pick<BatchSettings, 'max_rows' | 'max_bytes' | 'max_age_ms'>

/** Pure. How many of the waiting rows, oldest first, make a batch now, and why; or when to ask again. `now` is monotonic. */
export function planBatch(
  waiting: readonly SpooledRow[],
  policy: Limits,
  now: number,
  draining: boolean,
): { rows: number; trigger: Trigger } | { dueInMs: number } | undefined {
  const [oldest] = waiting
  if (oldest === undefined) return undefined
  let bytes = 0
  for (const [index, row] of waiting.entries()) {
    bytes += row.json.length + ADDED_BYTES
    // A single row goes out whatever its size: it cannot be made smaller by waiting.
    if (bytes > policy.max_bytes && index > 0) return { rows: index, trigger: 'bytes' }
    if (index + 1 >= policy.max_rows) return { rows: index + 1, trigger: 'rows' }
  }
  if (draining) return { rows: waiting.length, trigger: 'drain' }
  const age = now - oldest.arrived
  return age >= policy.max_age_ms ? { rows: waiting.length, trigger: 'age' } : { dueInMs: policy.max_age_ms - age }
}

export async function freezeBatch(
  rows: readonly SpooledRow[],
  continuationToken: string,
  now: number,
  encoding: Encoding = 'gzip',
): Promise<FrozenBatch> {
  const [first, last] = [rows[0], rows.at(-1)]
  if (first === undefined || last === undefined) throw new RangeError('a batch has at least one row')
  const ndjson = ndjsonOf(
    rows.map(({ json }) => json),
    now,
  )
  return {
    requestId: randomUUID(),
    continuationToken,
    startOffsetToken: formatToken(first.token),
    endOffsetToken: formatToken(last.token),
    encoding,
    body: await compressed(ndjson, encoding),
    rows: rows.length,
    bytes: ndjson.length,
    billed: billedBytes(ndjson),
    first: first.token,
    last: last.token,
  }
}
