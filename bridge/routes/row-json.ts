import { isUtf8 } from 'node:buffer'
import { FIELDS, type Field } from '../../src/reading.ts'
import { CLOSING_BRACE } from '../ndjson.ts'

/*
 * A row as the bytes of one JSON object in one line, for which every key stands once. Most readings are that already, and
 * then they are passed on as they came: writing JSON anew costs more than all else that is done to them.
 */

const BY_BRIDGE: ReadonlySet<string> = new Set(
  (FIELDS as readonly Field[]).filter((field) => field.byBridge).map((field) => field.key),
)
const KNOWN: ReadonlySet<string> = new Set(FIELDS.map((field) => field.key))

/** Digits a number may have; of more no column knows what to do. */
const LONGEST_NUMBER = 25

/**
 * Whether a JSON object in `text` can be a row as it stands, `quotes` being the quotation marks of its keys and texts. More
 * of them are a key that comes twice: JSON.parse takes the last, somebody else may not. Where there is a backslash they
 * cannot be counted; a number with a negative exponent may be too small for a column, and to us it is 0.
 */
export function isRow(text: string, payload: Buffer, quotes: number): boolean {
  if (!text.startsWith('{') || !text.endsWith('}')) return false
  if (text.includes('\\') || text.includes('\n')) return false
  if ((text.includes('e-') || text.includes('E-')) && /[\d.][eE]-/.test(text)) return false
  // Written anew it is the number that JSON.parse read.
  if (hasLongNumber(text)) return false
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++
  return count === quotes && isUtf8(payload)
}

/** Looks only at places so far apart that no run of so many digits lies between two: a regular expression would look at all. */
function hasLongNumber(text: string): boolean {
  for (let at = LONGEST_NUMBER; at < text.length; at += LONGEST_NUMBER + 1) {
    if (!isOfNumber(text, at)) continue
    let [from, to] = [at, at]
    while (isOfNumber(text, from - 1)) from--
    while (isOfNumber(text, to + 1)) to++
    if (to - from >= LONGEST_NUMBER) return true
  }
  return false
}

/** A digit, or the point between them. */
function isOfNumber(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return (code >= 0x30 && code <= 0x39) || code === 0x2e
}

/** Known keys in column order, unknown ones under `extra`. What only the bridge may write is left out, and what is undefined. */
export function writeRow(reading: Readonly<Record<string, unknown>>): Buffer {
  const row: Record<string, unknown> = {}
  for (const { key } of FIELDS) if (!BY_BRIDGE.has(key)) row[key] = reading[key]
  // No prototype: a key may be called __proto__.
  const extra: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(reading)) {
    if (KNOWN.has(key)) continue
    if (key === 'extra' && typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.assign(extra, value)
    else extra[key] = value
  }
  if (Object.keys(extra).length > 0) row.extra = extra
  return Buffer.from(JSON.stringify(row))
}

/** `row` with more keys, given as ASCII JSON: `,"key":…`. A row has at least its hostname, so there always is one before. */
export function withKeys(row: Buffer, keys: string): Buffer {
  const result = Buffer.allocUnsafe(row.length + keys.length)
  row.copy(result, 0, 0, row.length - 1)
  result.write(keys, row.length - 1, 'latin1')
  result[result.length - 1] = CLOSING_BRACE
  return result
}
