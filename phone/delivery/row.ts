import type { Numbered } from '../../src/outbox/outbox.ts'

/** A row on its way to the table, as the JSON text it is sent as: objects would take ten times the memory. */
export interface Row extends Numbered {
  /** Number of the journal's record it was made of; 0 for one that an earlier run has made. */
  readonly of: number
  /** One JSON object, without `after`. */
  readonly text: string
}

/** The bytes of one message: one object, or an array of them, oldest first. */
export function encodeRows(rows: readonly Row[]): string {
  const texts = rows.map(({ text, after }) =>
    after === undefined || after === null ? text : `${text.slice(0, -1)},"after":${JSON.stringify(after)}}`,
  )
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(',')}]`
}
