import type { Flag } from './command.ts'

/** Of the words after `publisher`, each with those that take it. Apart from what they are for: the help shows them without loading that. */
export const PUBLISHER_FLAGS: Readonly<Record<string, Flag & { readonly of: readonly string[] }>> = {
  json: { type: 'boolean', doc: 'outbox status, outbox rename, probe: one JSON object', of: ['outbox', 'probe'] },
  reference: {
    type: 'string',
    value: 'CELSIUS',
    doc: 'calibrate temperature: what a thermometer beside the Pi says now',
    of: ['calibrate'],
  },
  fresh: { type: 'boolean', doc: 'calibrate temperature: forget earlier observations', of: ['calibrate'] },
  export: {
    type: 'string',
    value: 'FILE',
    doc: 'outbox rename: take readings that may have been sent out of the outbox, into this file, a JSON object a line',
    of: ['outbox'],
  },
}
