const NEWLINE = 0x0a

/**
 * What Snowflake counts of a batch, estimated: the values and not the keys, because rows are mapped to columns by name
 * [documented]. `ndjson` is the body before compression. The share of the values is that of its first row: rows of one device
 * are alike, and to look at each would cost more than it tells.
 *
 * A value counts with the bytes of its text, a string without its quotes, `null` with none, and what becomes a VARIANT with all
 * of its JSON [assumed: how a number or a time is counted is not documented]. What the account is billed stands in
 * `METERING_HISTORY`.
 */
export function billedBytes(ndjson: Buffer): number {
  const end = ndjson.indexOf(NEWLINE)
  const first = end < 0 ? ndjson : ndjson.subarray(0, end)
  if (first.length === 0) return 0
  let values: unknown[]
  try {
    values = Object.values(JSON.parse(first.toString('utf8')) as object)
  } catch {
    // Rows do not end with a statistic: what cannot be told apart counts whole.
    return ndjson.length
  }
  const counted = values.reduce((sum: number, value) => sum + bytesOf(value), 0)
  return Math.round((counted / (first.length + 1)) * ndjson.length)
}

function bytesOf(value: unknown): number {
  if (value === null) return 0
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value))
}
