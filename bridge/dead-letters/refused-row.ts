import type { Clock } from '../../src/clock.ts'
import type { Topics } from '../../src/topics.ts'
import type { BridgeEvents } from '../events.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { SpooledRow } from '../spool/spooled-row.ts'
import type { DeadLetters } from './dead-letters.ts'

export interface RefusedRowDeps {
  readonly clock: Clock
  readonly topics: Topics
  readonly events: BridgeEvents
  readonly deadLetters: DeadLetters
}

/** Keeps a row that Snowflake will never store, under the topic its reading came on. */
export function keepRefusedRow(
  { clock, deadLetters, events, topics }: RefusedRowDeps,
  { hostname }: DeviceLog,
  row: SpooledRow,
  reason: string,
): Promise<void> {
  events.emit('reading:refused', hostname, 'refused_by_snowflake', reason)
  return deadLetters.add({
    device: hostname,
    topic: topics.readings(hostname),
    code: 'refused_by_snowflake',
    reason,
    payload: row.json,
    at: clock.now(),
    position: { stream: row.token.stream, seq: row.token.seq },
  })
}
