/*
 * Rows as they are sent: one JSON object per line, each with the time of ingestion as its last key. It has always the same
 * length, so that a body gives back the very rows it was made of.
 */

const NEWLINE = 0x0a
/** The last byte of a row. */
export const CLOSING_BRACE = 0x7d

/** Each row gets this many bytes more: the time of ingestion and a newline. */
export const ADDED_BYTES = added(0).length - 1

/** `now`: epoch milliseconds. Every row is a JSON object with at least one key: `added` takes the place of its brace. */
export function ndjsonOf(rows: readonly Buffer[], now: number): Buffer {
  const end = added(now)
  let bytes = 0
  for (const row of rows) bytes += row.length + ADDED_BYTES
  const ndjson = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const row of rows) {
    at += row.copy(ndjson, at, 0, row.length - 1)
    ndjson.set(end, at)
    at += end.length
  }
  return ndjson
}

/** The rows of what `ndjsonOf` has made, which is written over. */
export function rowsOf(ndjson: Buffer): Buffer[] {
  const rows: Buffer[] = []
  for (let from = 0, end = ndjson.indexOf(NEWLINE); end >= 0; end = ndjson.indexOf(NEWLINE, from)) {
    const brace = end - ADDED_BYTES
    ndjson[brace] = CLOSING_BRACE
    rows.push(ndjson.subarray(from, brace + 1))
    from = end + 1
  }
  return rows
}

function added(now: number): Buffer {
  return Buffer.from(`,"ingestion_timestamp":"${new Date(now).toISOString()}"}\n`)
}
