import type { HaDocument } from './document.ts'

const ROOT_ORDER = ['device', 'origin', 'availability', 'availability_mode', 'state_topic', 'qos', 'components']

/** The payload: keys in one order whatever the way the document was made, so that equal documents are equal texts. */
export function encodeHaDocument(document: HaDocument): string {
  return JSON.stringify(ordered(document, ROOT_ORDER))
}

const COMPONENT_ORDER = ['platform', 'unique_id', 'name']

function ordered(value: unknown, first: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => ordered(item, []))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const rank = (key: string) => (first.includes(key) ? first.indexOf(key) : first.length)
  entries.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, ordered(item, COMPONENT_ORDER)]))
}
