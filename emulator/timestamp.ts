/** A time as written: the digits on the wall, in microseconds since 1970, and the zone's distance from UTC. */
export interface WrittenTime {
  readonly micros: bigint
  readonly offsetMicros: bigint
}

/**
 * `YYYY-MM-DD`, then hours and minutes, seconds, fraction up to nanoseconds, each with a zone if wanted [documented]; a
 * blank for `T`, and digits alone as an epoch of s, ms, µs or ns by their size [assumed]. DuckDB keeps microseconds, so
 * finer digits are cut.
 */
const WRITTEN =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)? ?(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?$/

export function readTimestamp(value: unknown): WrittenTime | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? ofEpoch(String(value)) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^-?\d{1,19}$/.test(text)) return ofEpoch(text)
  const match = WRITTEN.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const seconds = BigInt(date.getTime()) / 1000n + BigInt(Number(hour) * 3600 + Number(minute) * 60 + Number(second))
  const offset = offsetOf(zone)
  if (offset === undefined) return undefined
  return { micros: seconds * 1_000_000n + microsOfFraction(fraction), offsetMicros: offset }
}

function ofEpoch(digits: string): WrittenTime {
  const number = BigInt(digits)
  const size = number < 0n ? -number : number
  const scale = [
    { below: 31_536_000_000n, micros: (n: bigint) => n * 1_000_000n },
    { below: 31_536_000_000_000n, micros: (n: bigint) => n * 1000n },
    { below: 31_536_000_000_000_000n, micros: (n: bigint) => n },
  ].find((unit) => size < unit.below)
  return { micros: scale ? scale.micros(number) : number / 1000n, offsetMicros: 0n }
}

/** `10:15:00.123` in microseconds since midnight; a zone makes it fail [observed]. */
export function microsOfTime(text: string): bigint | undefined {
  const [, hour, minute, second = '0', fraction = ''] =
    /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text.trim()) ?? []
  if (hour === undefined || minute === undefined) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  return BigInt(Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1_000_000n + microsOfFraction(fraction)
}

function microsOfFraction(digits: string): bigint {
  return BigInt(digits.padEnd(6, '0').slice(0, 6))
}

function offsetOf(zone: string | undefined): bigint | undefined {
  if (zone === undefined || zone === 'Z') return 0n
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  if (hours > 14 || minutes > 59) return undefined
  return BigInt((zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)) * 60_000_000n
}
