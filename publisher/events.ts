import type { Reading } from '../src/reading.ts'

/** What the publisher tells; these report and never steer. */
export type PublisherEvents = {
  /** A reading was taken; it goes to the outbox next. */
  'reading:taken': [reading: Reading]
  /** The broker has acknowledged a message with so many readings. */
  'readings:delivered': [readings: number]
  /** The ledger lists so many more as committed; they left the outbox. */
  'readings:committed': [readings: number]
  'readings:resent': [readings: number, reason: string]
  'broker:connected': []
  'broker:lost': []
}
