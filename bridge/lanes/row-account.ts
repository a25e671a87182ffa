import { compareTokens, type OffsetToken, sameToken } from '../offset-token.ts'
import type { ChannelStatus } from '../snowpipe/status.ts'
import type { FrozenBatch } from './batch.ts'

/**
 * Rows appended since the channel was opened against rows Snowflake says it has parsed since. Snowflake answers
 * 200 and throws rows away in some situations [observed]; only this count shows it.
 */
export class RowAccount {
  #parsed: number
  #errors: number
  readonly #waiting: { readonly last: OffsetToken; readonly rows: number }[] = []

  constructor(atOpening: ChannelStatus) {
    this.#parsed = atOpening.rowsParsed
    this.#errors = atOpening.rowsErrorCount
  }

  /** Batches appended and not settled. */
  get batches(): number {
    return this.#waiting.length
  }

  appended(batch: FrozenBatch): void {
    this.#waiting.push({ last: batch.last, rows: batch.rows })
  }

  /**
   * The committed token has moved to `committed`. Counts are compared when it is the end of a batch: inside one
   * nobody can tell how many rows it stands for.
   */
  settle(committed: OffsetToken, status: ChannelStatus): { rejected: number; disagreement: string | undefined } {
    const passed = this.#waiting.filter((batch) => compareTokens(batch.last, committed) <= 0)
    const sent = passed.reduce((sum, batch) => sum + batch.rows, 0)
    const parsed = status.rowsParsed - this.#parsed
    const atAnEnd = passed.some((batch) => sameToken(batch.last, committed))
    if (atAnEnd && sent !== parsed)
      return { rejected: 0, disagreement: `${sent} rows were sent up to here and ${parsed} were parsed` }
    if (atAnEnd) {
      this.#parsed = status.rowsParsed
      this.#waiting.splice(0, passed.length)
    }
    const rejected = Math.max(0, status.rowsErrorCount - this.#errors)
    this.#errors = Math.max(this.#errors, status.rowsErrorCount)
    return { rejected, disagreement: undefined }
  }
}
