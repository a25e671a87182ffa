import { Refusal } from './answer.ts'
import type { Pipe } from './catalog.ts'
import { decodeContinuationToken, encodeContinuationToken } from './continuation-token.ts'

/** Rows the client has sent are missing on the server [documented]. */
export const ROW_SEQUENCE_GAP = 'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP'

/** The rows of one append, from acceptance to commit. */
export interface Rowset {
  readonly lines: readonly string[]
  /** Offset tokens as the client sent them: stored and given back, never compared [documented]. */
  readonly startOffset: string | null
  readonly endOffset: string | null
  /** Row sequencer after it. */
  readonly rowSequencer: number
  /** Epoch ms of acceptance. */
  readonly acceptedAt: number
  /** On the monotonic clock: when it is to be committed. */
  readonly dueAt: number
  /** How long that is after its acceptance. */
  readonly commitDelayMs: number
}

/** What of a channel survives a restart: the state as of its last commit. */
export interface ChannelRecord {
  readonly clientSequencer: number
  readonly rowSequencer: number
  readonly offsetToken: string | null
  readonly rowsParsed: number
  readonly rowsInserted: number
  readonly rowsErrorCount: number
  readonly lastErrorMessage: string | null
  readonly lastErrorOffsetUpperBound: string | null
  readonly lastErrorTimestamp: number | null
  readonly statusCode: string
  readonly latencyMs: number
  readonly lastActivityAt: number
}

export function newChannelRecord(now: number): ChannelRecord {
  return {
    clientSequencer: -1,
    rowSequencer: 0,
    offsetToken: null,
    rowsParsed: 0,
    rowsInserted: 0,
    rowsErrorCount: 0,
    lastErrorMessage: null,
    lastErrorOffsetUpperBound: null,
    lastErrorTimestamp: null,
    statusCode: 'SUCCESS',
    latencyMs: 0,
    lastActivityAt: now,
  }
}

/**
 * A Named Channel: a durable, ordered, single-writer lane inside a pipe. Its table of answers to continuation tokens is the
 * heart of the protocol.
 */
export class Channel {
  /** As first opened; bulk status asks for it in exactly this spelling [documented]. */
  readonly name: string
  readonly pipe: Pipe
  /** When it was created; unique, so it names the channel's incarnation. */
  readonly createdOnMs: number
  /** Accepted and not committed, oldest first. */
  readonly pending: Rowset[] = []
  /** Rowsets of a transaction that is under way: they can no longer be discarded. */
  committing = 0
  /** There is a row for it in the channel store. */
  stored: boolean
  record: ChannelRecord
  /** Of accepted appends; the record has that of committed ones. */
  #rowSequencer: number

  constructor(name: string, pipe: Pipe, createdOnMs: number, record: ChannelRecord, stored: boolean) {
    this.name = name
    this.pipe = pipe
    this.createdOnMs = createdOnMs
    this.record = record
    this.stored = stored
    this.#rowSequencer = record.rowSequencer
  }

  get token(): string {
    return encodeContinuationToken({
      clientSequencer: this.record.clientSequencer,
      rowSequencer: this.#rowSequencer,
      incarnation: this.createdOnMs,
    })
  }

  get hasUncommittedRows(): boolean {
    return this.pending.length > 0
  }

  /**
   * Takes the channel over from whoever had it: rows not yet committed are discarded, older tokens become worthless, the
   * committed offset token and the counters stay [documented]. The row sequencer starts anew [assumed].
   */
  takeOver(now: number, offsetToken: string | undefined): void {
    this.pending.length = 0
    this.#rowSequencer = 0
    this.record = {
      ...this.record,
      clientSequencer: this.record.clientSequencer + 1,
      rowSequencer: 0,
      statusCode: 'SUCCESS',
      lastActivityAt: now,
      ...(offsetToken === undefined ? {} : { offsetToken }),
    }
  }

  /** The channel must be reopened; what it had not committed may be lost [documented], or commits yet [observed]. */
  invalidate(code: string, pending: 'lost' | 'kept'): void {
    if (pending === 'lost') this.pending.length = 0
    this.record = { ...this.record, statusCode: code }
  }

  /**
   * A node has failed: what was accepted and not committed is gone, and nobody is told. The row sequencer falls back, so
   * the next append comes with a token that is ahead of the server.
   */
  losePending(): void {
    const [first] = this.pending
    if (first === undefined) return
    this.#rowSequencer = first.rowSequencer - 1
    this.pending.length = 0
  }

  /**
   * What a continuation token means for an append: `next` is the one expected; `used` was already taken in this ownership,
   * so the rows are ignored and the answer is 200 with the current token [observed on an account]. Anything else is
   * refused: an older owner's with 400 STALE_CONTINUATION_TOKEN_SEQUENCER [documented]; one ahead of the server, which
   * lost rows, makes the channel need a reopen [codes documented, mapping assumed].
   */
  judge(written: string | null): 'next' | 'used' {
    const token = written === null ? undefined : decodeContinuationToken(written)
    if (token === undefined || token.incarnation !== this.createdOnMs) throw stale()
    if (token.clientSequencer !== this.record.clientSequencer) throw stale()
    if (this.record.statusCode !== 'SUCCESS')
      throw new Refusal(400, this.record.statusCode, 'The channel must be reopened')
    if (token.rowSequencer < this.#rowSequencer) return 'used'
    if (token.rowSequencer === this.#rowSequencer) return 'next'
    this.invalidate(ROW_SEQUENCE_GAP, 'lost')
    throw new Refusal(400, this.record.statusCode, 'Rows before this append are missing. Please reopen the channel')
  }

  /** 200, and the rows go nowhere: what an invalid pipe does [observed on an account]. */
  swallow(): void {
    this.#rowSequencer += 1
  }

  accept(rowset: Omit<Rowset, 'rowSequencer'>): void {
    this.#rowSequencer += 1
    this.pending.push({ ...rowset, rowSequencer: this.#rowSequencer })
  }

  /** The 14 fields the service answers with [documented]. */
  get status(): Record<string, unknown> {
    const { record } = this
    return {
      database_name: this.pipe.name.database,
      schema_name: this.pipe.name.schema,
      pipe_name: this.pipe.name.name,
      channel_name: this.name,
      channel_status_code: record.statusCode,
      last_committed_offset_token: record.offsetToken,
      created_on_ms: this.createdOnMs,
      rows_inserted: record.rowsInserted,
      rows_parsed: record.rowsParsed,
      rows_error_count: record.rowsErrorCount,
      last_error_offset_upper_bound: record.lastErrorOffsetUpperBound,
      last_error_message: record.lastErrorMessage,
      last_error_timestamp: record.lastErrorTimestamp,
      snowflake_avg_processing_latency_ms: record.latencyMs,
    }
  }
}

function stale(): Refusal {
  return new Refusal(
    400,
    'STALE_CONTINUATION_TOKEN_SEQUENCER',
    'Channel sequencer in the continuation token is stale. Please reopen the channel',
  )
}
