import type { Parameters } from '../classify/parameters.ts'
import type { RawMode } from '../config.ts'

/**
 * All settings on which it depends what rows are made of a record. They stand in the snapshot and, when they change, in the journal:
 * what came before the change is made into rows as it was, also where that is done again, for rows are known by their numbers.
 */
export interface Making {
  readonly raw: RawMode
  readonly maxDevices: number
  readonly classifier: string
  readonly parameters: Parameters
}

/** Whether two of them come to the same rows. */
export function sameMaking(a: Making, b: Making): boolean {
  return JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b))
}

/** Keys of objects have no order to people, and one as text. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inOrder)
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, inOrder(inner)])
}
