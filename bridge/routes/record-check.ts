import type { ColumnKind } from '../../src/table-columns.ts'
import { ISO_8601 } from './forms.ts'

/** NUMBER takes 38 digits, from text too [documented]: JSON's numbers are exact to 2^53 only. */
const DIGITS = /^-?\d{1,38}$/

interface Check {
  readonly fits: (value: unknown) => boolean
  readonly must: string
}

/** What Snowflake would refuse row by row is better refused here, where the original bytes are kept. */
const CHECKS: Readonly<Record<ColumnKind, Check>> = {
  text: { fits: (value) => typeof value === 'string', must: 'a text' },
  integer: {
    fits: (value) => Number.isSafeInteger(value) || (typeof value === 'string' && DIGITS.test(value)),
    must: 'a whole number, beyond 2^53 as a text of digits',
  },
  number: { fits: Number.isFinite, must: 'a number' },
  boolean: { fits: (value) => typeof value === 'boolean', must: 'true or false' },
  timestamp: { fits: (value) => typeof value === 'string' && ISO_8601.test(value), must: 'an ISO 8601 time' },
  json: { fits: () => true, must: 'JSON' },
}

/** The first thing that is wrong with a record, in one sentence. What is missing or `null` is no fault. */
export function faultIn(
  record: Readonly<Record<string, unknown>>,
  columns: ReadonlyMap<string, ColumnKind>,
): string | undefined {
  if (hasInfinity(record)) return 'a number is too large to be one'
  for (const [key, kind] of columns) {
    const value = Object.hasOwn(record, key) ? record[key] : undefined
    if (value === undefined || value === null) continue
    const { fits, must } = CHECKS[kind]
    if (!fits(value)) return `${key}: must be ${must}`
  }
  return undefined
}

/** JSON has no Infinity, but 1e999 is read as one, and a row with it would be no JSON to Snowflake. */
function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity)
}
