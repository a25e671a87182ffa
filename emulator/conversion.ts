import type { ColumnType } from './column-type.ts'
import { exactNumber, markedNumber, restoreNumbers } from './exact-number.ts'
import { microsOfTime, readTimestamp } from './timestamp.ts'

/**
 * JSON values into columns, by Snowflake's rules [documented and observed: supported data types of streaming ingestion, and
 * tests of others against an account]. Pure functions.
 *
 * What a value is, per kind of column: text and variant `string`; integer, decimal (unscaled), time and timestamp
 * (microseconds) `bigint`; date (days) and float `number`; boolean `boolean`; binary `Uint8Array`.
 */
export type Cell = string | number | bigint | boolean | Uint8Array | null

/** A value that does not fit its column. The message bears no data, as `last_error_message` must not [documented]. */
export interface RowError {
  readonly code: number
  readonly message: string
}

export type Conversion = { readonly cell: Cell } | { readonly error: RowError }

/** Codes of the error table: 100038 and 100072 [documented], the others [assumed] from the SQL casts. */
export const NOT_NUMERIC: RowError = { code: 100038, message: 'Numeric value is not recognized' }
export const NULL_REFUSED: RowError = { code: 100072, message: 'NULL result in a non-nullable column' }
const OUT_OF_RANGE: RowError = { code: 100039, message: 'Numeric value is out of range' }
const NOT_BOOLEAN: RowError = { code: 100037, message: 'Boolean value is not recognized' }
const NOT_TIMESTAMP: RowError = { code: 100035, message: 'Timestamp is not recognized' }
const NOT_DATE: RowError = { code: 100040, message: 'Date is not recognized' }
const NOT_TIME: RowError = { code: 100108, message: 'Time is not recognized' }
const NOT_BINARY: RowError = { code: 100115, message: 'Binary value is not recognized' }
const TOO_LONG: RowError = { code: 100078, message: 'String is too long and would be truncated' }

/** A value that is there; `null` is SQL NULL everywhere but in a VARIANT, where it is JSON null [observed]. */
export function convert(value: unknown, type: ColumnType): Conversion {
  if (value === null && type.kind !== 'variant') return { cell: null }
  switch (type.kind) {
    case 'text':
      return toText(value, type.length)
    case 'integer':
      return toInteger(value)
    case 'decimal':
      return toDecimal(value, type.precision, type.scale)
    case 'float':
      return toFloat(value)
    case 'boolean':
      return toBoolean(value)
    case 'timestamp':
      return toTimestamp(value, type.zoned)
    case 'date':
      return toDate(value)
    case 'time':
      return orError(typeof value === 'string' ? microsOfTime(value) : undefined, NOT_TIME)
    case 'binary':
      return toBinary(value)
    case 'variant':
      return { cell: restoreNumbers(JSON.stringify(value)) }
  }
}

function orError(cell: Cell | undefined, error: RowError): Conversion {
  return cell === undefined ? { error } : { cell }
}

/** Numbers and booleans become text; objects and arrays their JSON [assumed]. */
function toText(value: unknown, length: number | undefined): Conversion {
  const text =
    typeof value === 'string'
      ? (markedNumber(value) ?? value)
      : typeof value === 'object'
        ? restoreNumbers(JSON.stringify(value))
        : String(value)
  return length !== undefined && [...text].length > length ? { error: TOO_LONG } : { cell: text }
}

const LARGEST_INT64 = 2n ** 63n - 1n

function toInteger(value: unknown): Conversion {
  if (Number.isSafeInteger(value)) return { cell: BigInt(value as number) }
  const number = exactNumber(value, 0)
  if (number === undefined) return { error: NOT_NUMERIC }
  return number > LARGEST_INT64 || number < -LARGEST_INT64 - 1n ? { error: OUT_OF_RANGE } : { cell: number }
}

/** A fraction finer than the scale is rounded half away from zero, as a cast does [assumed]. */
function toDecimal(value: unknown, precision: number, scale: number): Conversion {
  const unscaled = exactNumber(value, scale)
  if (unscaled === undefined) return { error: NOT_NUMERIC }
  const limit = 10n ** BigInt(precision)
  return unscaled >= limit || unscaled <= -limit ? { error: OUT_OF_RANGE } : { cell: unscaled }
}

const NOT_FINITE: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
}

function toFloat(value: unknown): Conversion {
  if (typeof value === 'number') return { cell: value }
  if (typeof value !== 'string') return { error: NOT_NUMERIC }
  const text = (markedNumber(value) ?? value).trim()
  const special = NOT_FINITE[text.toLowerCase()]
  if (special !== undefined) return { cell: special }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? { cell: Number(text) } : { error: NOT_NUMERIC }
}

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1'])
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0'])

/** `true`, `"true"` [documented]; 0 and 1 and the other words of a cast [assumed]. */
function toBoolean(value: unknown): Conversion {
  if (typeof value === 'boolean') return { cell: value }
  if (typeof value === 'number') return { cell: value !== 0 }
  if (typeof value !== 'string') return { error: NOT_BOOLEAN }
  const word = value.trim().toLowerCase()
  if (TRUE.has(word)) return { cell: true }
  return FALSE.has(word) ? { cell: false } : { error: NOT_BOOLEAN }
}

/** TIMESTAMP_NTZ drops a zone and keeps the digits [observed]; the zoned types convert, and read no zone as UTC [assumed]. */
function toTimestamp(value: unknown, zoned: boolean): Conversion {
  const read = readTimestamp(value)
  return orError(read && (zoned ? read.micros - read.offsetMicros : read.micros), NOT_TIMESTAMP)
}

const DAY = 86_400_000_000n

function toDate(value: unknown): Conversion {
  const read = readTimestamp(value)
  if (read === undefined) return { error: NOT_DATE }
  const intoDay = ((read.micros % DAY) + DAY) % DAY
  return { cell: Number((read.micros - intoDay) / DAY) }
}

/** Base64, as the default pipe reads it [documented]. */
function toBinary(value: unknown): Conversion {
  if (typeof value !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value))
    return { error: NOT_BINARY }
  return { cell: new Uint8Array(Buffer.from(value, 'base64')) }
}
