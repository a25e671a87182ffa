import { decompressed } from '../compression.ts'
import { rowsOf } from '../ndjson.ts'
import type { OffsetToken } from '../offset-token.ts'
import type { SpooledRow } from './spooled-row.ts'

/** What a row takes besides its bytes: its token, its place. */
const ROW_OVERHEAD = 256

/** A batch as it was sent; rows that wait for their commit share it. */
export class Pack {
  readonly #body: Buffer
  #rows: readonly Buffer[] | undefined
  /** What each of its rows takes in memory. */
  readonly share: number

  /** `body`: NDJSON, compressed. Copied, because it may be a view of something much larger. */
  constructor(body: Buffer, rows: number) {
    this.#body = Buffer.from(body)
    this.share = Math.ceil(body.length / rows) + ROW_OVERHEAD
  }

  row(index: number): Buffer {
    this.#rows ??= rowsOf(decompressed(this.#body))
    const row = this.#rows[index]
    if (row === undefined) throw new RangeError('a packed batch lacks a row')
    return row
  }
}

/**
 * A row that was appended and is not known to be committed. Its bytes are hardly ever looked at again, only when the
 * channel has to be opened anew; so they are kept compressed, which takes a tenth of the memory.
 */
export class PackedRow implements SpooledRow {
  readonly token: OffsetToken
  readonly receivedAt: number
  readonly arrived: number
  readonly record: number
  /** Bytes of the row. */
  readonly bytes: number
  readonly #pack: Pack
  readonly #index: number

  constructor(row: SpooledRow, pack: Pack, index: number) {
    this.token = row.token
    this.receivedAt = row.receivedAt
    this.arrived = row.arrived
    this.record = row.record
    this.bytes = row.json.length
    this.#pack = pack
    this.#index = index
  }

  get json(): Buffer {
    return this.#pack.row(this.#index)
  }

  get memory(): number {
    return this.#pack.share
  }
}

/** Bytes of a row, and what they take in memory, without unpacking it. */
export function sizeOf(row: SpooledRow): { readonly bytes: number; readonly memory: number } {
  return row instanceof PackedRow ? row : { bytes: row.json.length, memory: row.json.length + ROW_OVERHEAD }
}
