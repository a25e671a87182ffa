import { type Interval, IntervalSet } from './intervals.ts'

/**
 * The ledger of one device, retained on `sensehat/bridge/devices/<hostname>`: what the bridge holds and
 * what Snowflake has committed. It is the publisher's acknowledgement, and what a new bridge reads before
 * it takes over a channel.
 */
export interface Ledger {
  /** Rises with every version by one bridge. */
  readonly id: number
  /** The bridge's instance: the owner in its offset tokens. */
  readonly instance: string
  /** `created_on_ms` of the channel, `null` before it was opened. */
  readonly incarnation: number | null
  /** Runs with rows not known committed, and always the run of the last committed token. */
  readonly runs: readonly Run[]
  readonly streams: Readonly<Record<string, StreamState>>
  readonly counters: LedgerCounters
  /** Rows received and not committed. */
  readonly lag_rows: number
  /** Age of the oldest such row, 0 when there is none. */
  readonly lag_seconds: number
  /** ISO 8601 UTC, `null` before the first. */
  readonly last_commit_at: string | null
  /** Only in that of the device that has cost most this month, while the budget of the bridge is in danger or spent. */
  readonly budget?: LedgerBudget
}

export interface LedgerBudget {
  readonly level: 'projected' | 'exceeded'
  /** Of this device since the first of the month, as Snowflake counts them (estimated). */
  readonly bytes_month: number
  readonly cost_month: number
  /** As the settings have it, `USD`. */
  readonly currency: string
}

/** Rows of one offset-token ordinal: each the successor of the one before. */
export interface Run {
  readonly ordinal: number
  readonly owner: string
  readonly stream: string
  readonly first: number
  readonly last: number
}

export interface StreamState {
  /** Durable in the bridge's spool, or committed. */
  readonly spooled: readonly Interval[]
  /** In the table, or accounted for as a dead letter. */
  readonly committed: readonly Interval[]
  /** Given up by the publisher, as an `after` said; absent when nothing was, and in ledgers of older bridges. */
  readonly declared?: readonly Interval[]
}

export interface LedgerCounters {
  readonly received: number
  readonly redelivered: number
  /** Readings their publisher has declared given up. */
  readonly declared_gaps: number
  /** Readings missing and not declared. */
  readonly undeclared_gaps: number
  /** Readings that came after later ones of their stream. */
  readonly late: number
  /** Rows Snowflake could not convert. */
  readonly rejected: number
  readonly dead_letters: number
}

/** Shared by all that are empty; never written to. */
const NONE = new Map<string, IntervalSet>()

/** Sequence numbers per stream. Empty ones, of which each device has some, take next to nothing. */
export class StreamSets {
  #sets: Map<string, IntervalSet> = NONE

  of(stream: string): IntervalSet {
    let set = this.#sets.get(stream)
    if (set === undefined) {
      set = new IntervalSet()
      if (this.#sets === NONE) this.#sets = new Map()
      this.#sets.set(stream, set)
    }
    return set
  }

  has(stream: string, seq: number): boolean {
    return this.#sets.get(stream)?.has(seq) ?? false
  }

  /** The largest number of the stream; looking makes no stream. */
  max(stream: string): number | undefined {
    return this.#sets.get(stream)?.max
  }

  /** The numbers from `first` to `last` that are not members. */
  holes(stream: string, first: number, last: number): Interval[] {
    return this.#sets.get(stream)?.holes(first, last) ?? [[first, last]]
  }

  add(stream: string, first: number, last: number = first): void {
    this.of(stream).add(first, last)
  }

  addAll(other: StreamSets): void {
    for (const [stream, set] of other.#sets) this.of(stream).addAll(set)
  }

  entries(): IterableIterator<[stream: string, set: IntervalSet]> {
    return this.#sets.entries()
  }

  streams(): string[] {
    return [...this.#sets.keys()]
  }

  /** What is in these and not in `other`. */
  without(other: StreamSets): StreamSets {
    const rest = new StreamSets()
    for (const [stream, set] of this.#sets)
      for (const [first, last] of set.toJSON())
        for (const hole of other.#sets.get(stream)?.holes(first, last) ?? [[first, last]]) rest.add(stream, ...hole)
    return rest
  }

  clear(): void {
    this.#sets = NONE
  }

  clone(): StreamSets {
    const copy = new StreamSets()
    copy.addAll(this)
    return copy
  }

  static from(ledger: Ledger, which: keyof StreamState): StreamSets {
    const sets = new StreamSets()
    for (const [stream, state] of Object.entries(ledger.streams))
      for (const [first, last] of state[which] ?? []) sets.add(stream, first, last)
    return sets
  }
}

/** A ledger from the broker; `undefined` when the payload is not one (an empty one, another program's). */
export function parseLedger(payload: Uint8Array): Ledger | undefined {
  if (payload.length === 0) return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const ledger = value as Partial<Ledger>
  const streams = ledger.streams
  const sound =
    typeof ledger.id === 'number' &&
    typeof ledger.instance === 'string' &&
    Array.isArray(ledger.runs) &&
    ledger.runs.every(isRun) &&
    typeof streams === 'object' &&
    streams !== null &&
    Object.values(streams).every(
      (state) =>
        isIntervals(state?.spooled) &&
        isIntervals(state?.committed) &&
        (state.declared === undefined || isIntervals(state.declared)),
    )
  return sound ? (value as Ledger) : undefined
}

function isRun(value: unknown): value is Run {
  const run = (value ?? {}) as Partial<Run>
  return (
    [run.ordinal, run.first, run.last].every((n) => Number.isSafeInteger(n)) &&
    [run.owner, run.stream].every((name) => typeof name === 'string')
  )
}

function isIntervals(value: unknown): value is Interval[] {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) =>
        Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isSafeInteger(n)) && pair[0] <= pair[1],
    )
  )
}
