import type { Flag } from './command.ts'

/** Apart from what they are for: the help shows them without loading that. */
export const OUTBOX_FLAGS: Readonly<Record<string, Flag>> = {
  json: { type: 'boolean', doc: 'outbox status, outbox rename: one JSON object' },
  export: {
    type: 'string',
    value: 'FILE',
    doc: 'outbox rename: take readings that may have been sent out of the outbox, into this file, a JSON object a line',
  },
}
