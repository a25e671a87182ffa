/**
 * Numbers with all their digits. `JSON.parse` rounds what is longer than 15 digits, and columns of type NUMBER take 38
 * [documented]; so long numbers are marked before parsing and read as text.
 */
const MARK = '\uE000'

/** Texts and numbers of a JSON line, one after another. */
const PARTS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g
/** Where a number can stand. Cheap, and what lets most lines pass: digits of a text, as of a serial number, follow its quote. */
const MAYBE_LONG = /[:,[\s]-?\d[\d.eE+-]{14}/
const LONG_NUMBER = /\d{16}|\d\.\d{14}|\d[eE]/

/** A JSON text whose long numbers are texts with a mark; the others are untouched. */
export function markNumbers(json: string): string {
  if (!MAYBE_LONG.test(json) || !LONG_NUMBER.test(json)) return json
  return json.replaceAll(PARTS, (part) =>
    part.startsWith('"') || !isJsonNumber(part) || part.length < 16 ? part : `"${MARK}${part}"`,
  )
}

function isJsonNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)
}

/** The digits behind the mark. */
export function markedNumber(text: string): string | undefined {
  return text.startsWith(MARK) ? text.slice(MARK.length) : undefined
}

/** Marked numbers of a JSON text as numbers again. */
export function restoreNumbers(json: string): string {
  return json.includes(MARK) ? json.replaceAll(/"\uE000(-?\d[\d.eE+-]*)"/g, '$1') : json
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/

/** A number or numeric text times 10 to the power of `scale`, rounded half away from zero; `undefined` if it is none. */
export function exactNumber(value: unknown, scale: number): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const text = typeof value === 'number' ? String(value) : (markedNumber(value) ?? value).trim()
  const match = NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const shift = Number(exponent) + scale - fraction.length
  if (shift > 400) return /^0*$/.test(whole + fraction) ? 0n : 10n ** 400n
  const digits = BigInt(whole + fraction)
  const size = shift >= 0 ? digits * 10n ** BigInt(shift) : roundedDown(digits, BigInt(Math.min(-shift, 800)))
  return sign === '-' ? -size : size
}

function roundedDown(digits: bigint, places: bigint): bigint {
  const unit = 10n ** places
  return digits / unit + ((digits % unit) * 2n >= unit ? 1n : 0n)
}
