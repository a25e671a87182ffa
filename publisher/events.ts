import type { Reading } from '../src/reading.ts'

/** What the publisher tells; these report and never steer. */
export type PublisherEvents = {
  /**
   * A reading was made. Told at once and before the outbox has it: a listener knows of every reading that anything may
   * come to hold. Its time is the one the clock showed; what is sent may bear a corrected one.
   */
  'reading:taken': [reading: Reading]
  /** The broker has acknowledged a message with so many readings. */
  'readings:delivered': [readings: number]
  /** The ledger lists so many more as committed; they left the outbox. */
  'readings:committed': [readings: number]
  'readings:resent': [readings: number, reason: string]
  'broker:connected': []
  'broker:lost': []
}
