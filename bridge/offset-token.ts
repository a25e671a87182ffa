/**
 * The offset token of a row: `<ordinal>.<owner>.<stream>.<seq>`. Snowflake stores it with the rows and
 * never compares it; all meaning is ours.
 *
 * - `ordinal` starts at 1 and rises whenever a row is not the successor of the row before it;
 * - `owner` is the spool's instance, so that a bridge knows its own tokens from its predecessor's;
 * - `stream` and `seq` name the reading.
 *
 * Rows of one ordinal are a run: within it, `seq` rises by one from row to row.
 */
export interface OffsetToken {
  readonly ordinal: number
  readonly owner: string
  readonly stream: string
  readonly seq: number
}

const TOKEN = /^([1-9]\d{0,15})\.([0-9a-z]{4})\.([0-9a-z]{1,32})\.([1-9]\d{0,15})$/

export function formatToken(token: OffsetToken): string {
  return `${token.ordinal}.${token.owner}.${token.stream}.${token.seq}`
}

/** `undefined` for a token that is not one of ours: another program has written to this channel. */
export function parseToken(text: string): OffsetToken | undefined {
  const match = TOKEN.exec(text)
  if (match === null) return undefined
  const [, ordinal = '', owner = '', stream = '', seq = ''] = match
  const token = { ordinal: Number(ordinal), owner, stream, seq: Number(seq) }
  return Number.isSafeInteger(token.ordinal) && Number.isSafeInteger(token.seq) ? token : undefined
}

/** Order in a channel: (ordinal, seq) as numbers. Negative when `a` comes first. */
export function compareTokens(a: OffsetToken, b: OffsetToken): number {
  return a.ordinal - b.ordinal || a.seq - b.seq
}

export function sameToken(a: OffsetToken, b: OffsetToken): boolean {
  return a.ordinal === b.ordinal && a.owner === b.owner && a.stream === b.stream && a.seq === b.seq
}

/** The token of the row that follows `last`: the same run when it is the successor, else the next ordinal. */
export function nextToken(last: OffsetToken | null, owner: string, stream: string, seq: number): OffsetToken {
  const continues = last !== null && last.owner === owner && last.stream === stream && last.seq + 1 === seq
  return { ordinal: continues ? last.ordinal : (last?.ordinal ?? 0) + 1, owner, stream, seq }
}
