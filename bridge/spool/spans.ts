import type { Interval } from '../../src/intervals.ts'
import type { StreamSets } from '../../src/ledger.ts'
import { compareTokens, type OffsetToken } from '../offset-token.ts'

/** Rows of one ordinal, each the successor of the one before. */
export interface Span {
  readonly ordinal: number
  readonly owner: string
  readonly stream: string
  readonly first: number
  readonly last: number
  /** None of its rows was received before this, epoch milliseconds. */
  readonly receivedAt: number
}

type Growing = Omit<Span, 'last'> & { last: number }

/**
 * The tokens of rows in a device's order, without the rows: a backlog of a million rows is a handful of spans. A row taken
 * out of the middle splits its span in two of the same ordinal.
 */
export class Spans {
  #spans: Growing[] = []
  #rows = 0

  get rows(): number {
    return this.#rows
  }

  get first(): Span | undefined {
    return this.#spans[0]
  }

  /** The token of the last row. */
  get last(): OffsetToken | undefined {
    const span = this.#spans.at(-1)
    return span && lastOf(span)
  }

  [Symbol.iterator](): Iterator<Span> {
    return this.#spans.values()
  }

  /** Adds a row behind all others. */
  push({ ordinal, owner, stream, seq }: OffsetToken, receivedAt: number): void {
    const last = this.#spans.at(-1)
    const successor = last !== undefined && last.ordinal === ordinal && last.owner === owner && last.last + 1 === seq
    if (successor) last.last = seq
    else this.#spans.push({ ordinal, owner, stream, first: seq, last: seq, receivedAt })
    this.#rows++
  }

  has(token: OffsetToken): boolean {
    const span = this.#spans[this.#at(token)]
    return (
      span !== undefined &&
      span.ordinal === token.ordinal &&
      span.owner === token.owner &&
      span.stream === token.stream &&
      span.first <= token.seq
    )
  }

  /** How many rows stand up to `token`. */
  countTo(token: OffsetToken): number {
    let count = 0
    for (const span of this.#spans) {
      if (compareTokens(lastOf(span), token) > 0) return count + Math.max(0, reach(span, token) - span.first + 1)
      count += span.last - span.first + 1
    }
    return count
  }

  /** Takes the rows up to `token` away and gives them. `receivedAt`: when the last of them was received, where that is known. */
  trimTo(token: OffsetToken, receivedAt = Number.NEGATIVE_INFINITY): Span[] {
    const at = this.#at(token)
    const gone = this.#spans.splice(0, at)
    const head = this.#spans[0]
    const to = head === undefined ? 0 : reach(head, token)
    if (head !== undefined && to >= head.first) {
      gone.push({ ...head, last: to })
      if (to >= head.last) this.#spans.shift()
      else this.#spans[0] = { ...head, first: to + 1, receivedAt: Math.max(head.receivedAt, receivedAt) }
    }
    for (const { first, last } of gone) this.#rows -= last - first + 1
    return gone
  }

  /** Takes one row out. */
  remove(token: OffsetToken): void {
    if (!this.has(token)) return
    const at = this.#at(token)
    const span = this.#spans[at] as Span
    const parts = [
      { ...span, last: token.seq - 1 },
      { ...span, first: token.seq + 1 },
    ].filter(({ first, last }) => first <= last)
    this.#spans.splice(at, 1, ...parts)
    this.#rows--
  }

  /** Takes out what is known, and gives all else tokens of `owner`, `by` ordinals higher. */
  retoken(known: StreamSets, by: number, owner: string): void {
    this.#spans = this.#spans.flatMap((span) =>
      known
        .holes(span.stream, span.first, span.last)
        .map(([first, last]: Interval) => ({ ...span, first, last, owner, ordinal: span.ordinal + by })),
    )
    this.#rows = this.#spans.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  }

  /** Index of the first span that does not end before `token`. */
  #at(token: OffsetToken): number {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareTokens(lastOf(this.#spans[middle] as Span), token) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function lastOf({ ordinal, owner, stream, last }: Span): OffsetToken {
  return { ordinal, owner, stream, seq: last }
}

/** The last seq of the span that is not beyond `token`. */
function reach(span: Span, token: OffsetToken): number {
  if (token.ordinal < span.ordinal) return span.first - 1
  return token.ordinal > span.ordinal ? span.last : Math.min(span.last, token.seq)
}
