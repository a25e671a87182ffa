import type { Flag } from './command.ts'

/** The first system's names for the size and the age of a batch. */
export const BATCH_FLAGS: Readonly<Record<string, Flag>> = {
  'batch-size': {
    type: 'string',
    short: 'b',
    value: 'N',
    doc: 'rows per batch, the same as --batch-max-rows',
    sets: { path: 'batch.max_rows', value: (text) => text },
  },
  interval: {
    type: 'string',
    short: 'i',
    value: 'SECONDS',
    doc: 'the age at which a batch is sent: --batch-max-age-ms in seconds',
    sets: {
      path: 'batch.max_age_ms',
      value: (text) => (Number.isFinite(Number(text)) ? Math.round(Number(text) * 1000) : text),
    },
  },
}
