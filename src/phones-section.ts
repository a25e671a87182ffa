import type { Section, ValuesOf } from './setting.ts'

/** What the receiver of phones and the bridge have to agree on, and where their rows end. */
export const phonesSection = {
  topic: { kind: 'string', default: 'phones', doc: 'first level of the topics between `snowhat phone` and the bridge' },
  database: { kind: 'string', default: 'ACTIVITY_DB', doc: 'database of what phones send' },
  schema: { kind: 'string', default: 'RAW_DATA', doc: 'schema of what they have sent, as it came' },
  pipes: {
    kind: 'list',
    default: ['ACTIVITY_RECORDS-STREAMING'],
    doc: 'its streaming pipes; unless told otherwise the default one of the table',
  },
  activity_schema: { kind: 'string', default: 'PROCESSED_DATA', doc: 'schema of the activity made of it' },
  activity_pipes: {
    kind: 'list',
    default: ['USER_ACTIVITY_PROCESSED-STREAMING'],
    doc: 'its streaming pipes; unless told otherwise the default one of the table',
  },
} as const satisfies Section

export type PhonesSettings = ValuesOf<typeof phonesSection>
