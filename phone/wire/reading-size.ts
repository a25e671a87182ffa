/*
 * A reading must fit into a row, and a row into one message to the bridge: that takes 128 KiB, and JSON of 64 levels. One that does not
 * would be refused there whenever it is sent, and hold up all rows behind it.
 */

/** Bytes of a reading as JSON. */
export const LONGEST_READING = 64 * 1024
/** Levels of a reading, itself included. Writing JSON takes stack per level. */
export const DEEPEST_READING = 32

/** Of a number or a word, and of what stands around a key and a value: JSON takes no more. */
const [SCALAR_BYTES, BETWEEN_BYTES] = [25, 4]
/** Of one UTF-16 unit: `\u0000`. */
const UNIT_BYTES = 6

export type SizeFault = 'too-deep' | 'too-long'

/** What is wrong with a value's size, as JSON. */
export function faultOfSize(value: object): SizeFault | undefined {
  const most = mostBytes(value, DEEPEST_READING)
  if (most === undefined) return 'too-deep'
  if (most <= LONGEST_READING) return undefined
  return Buffer.byteLength(JSON.stringify(value)) <= LONGEST_READING ? undefined : 'too-long'
}

/** No more bytes than these; `undefined` where there are more levels. */
function mostBytes(value: unknown, levels: number): number | undefined {
  if (typeof value === 'string') return value.length * UNIT_BYTES
  if (typeof value !== 'object' || value === null) return SCALAR_BYTES
  if (levels === 0) return undefined
  let bytes = BETWEEN_BYTES
  for (const key in value) {
    const inner = mostBytes((value as Readonly<Record<string, unknown>>)[key], levels - 1)
    if (inner === undefined) return undefined
    bytes += key.length * UNIT_BYTES + BETWEEN_BYTES + inner
  }
  return bytes
}
