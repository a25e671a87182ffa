import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip, gzipSync } from 'node:zlib'
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
  /** Bytes before compression. */
  readonly bytes: number
  /** What Snowflake counts of them, estimated. */
  readonly billed: number
  readonly first: OffsetToken
  readonly last: OffsetToken
}

const compress = promisify(gzip)
const FASTEST = { level: 1 }
/** Compressed in less time than it takes to hand it to another thread and back, twice over. */
const SMALL = 128 * 1024

/** Pure. How many of the waiting rows, oldest first, make a batch now, and why; or when to ask again. `now` is monotonic. */
export function planBatch(
  waiting: readonly SpooledRow[],
  policy: BatchSettings,
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

/** NDJSON, gzip level 1: the rows are alike, more effort saves little. */
export async function freezeBatch(
  rows: readonly SpooledRow[],
  continuationToken: string,
  now: number,
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
    body: await compressed(ndjson),
    rows: rows.length,
    bytes: ndjson.length,
    billed: billedBytes(ndjson),
    first: first.token,
    last: last.token,
  }
}

function compressed(ndjson: Buffer): Buffer | Promise<Buffer> {
  return ndjson.length <= SMALL ? gzipSync(ndjson, FASTEST) : compress(ndjson, FASTEST)
}
