import type { Answer } from '../snowpipe/answer.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'

export interface Suspect {
  readonly row: SpooledRow
  readonly answer: Answer
}

/**
 * What to try after the server did not take a batch at all: half of it, and so on. A single row that fails may be bad, or
 * it is the way that fails: its neighbour tells. Nothing is set aside because of a refusal that hits every row alike.
 */
export class Halving {
  #limit = Number.POSITIVE_INFINITY
  #suspect: Suspect | undefined

  get active(): boolean {
    return this.#suspect !== undefined || Number.isFinite(this.#limit)
  }

  get suspect(): SpooledRow | undefined {
    return this.#suspect?.row
  }

  /** Rows to pass over: the suspect, while its neighbour is tried. */
  get skip(): 0 | 1 {
    return this.#suspect === undefined ? 0 : 1
  }

  /** Rows the next batch may have at most. A limit of 0 would be a batch that is never due. */
  most(maxRows: number): number {
    return this.#suspect === undefined ? Math.max(1, Math.min(maxRows, this.#limit)) : 1
  }

  /** False when a single row and its neighbour were refused, or there is none to try: it is not the row. */
  refused(rows: readonly SpooledRow[], answer: Answer, hasNeighbour: boolean): boolean {
    const [only] = rows
    if (rows.length > 1) {
      this.#limit = Math.ceil(rows.length / 2)
      return true
    }
    if (this.#suspect === undefined && only !== undefined && hasNeighbour) {
      this.#suspect = { row: only, answer }
      return true
    }
    this.reset()
    return false
  }

  /** So many rows are more than goes over the wire. */
  tooLarge(rows: number): void {
    this.#limit = Math.ceil(rows / 2)
  }

  /** A batch was taken. Gives the row that is bad, when it was the neighbour of a suspect. */
  taken(): Suspect | undefined {
    const suspect = this.#suspect
    this.reset()
    return suspect
  }

  reset(): void {
    this.#limit = Number.POSITIVE_INFINITY
    this.#suspect = undefined
  }
}
