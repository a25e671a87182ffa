import type { DeviceLog, NewRow } from './device-log.ts'

/**
 * What the bridge has taken in and not yet seen in the table, and what it knows of every device.
 *
 * 1. `append` resolves only when the rows survive what the implementation says they survive.
 * 2. Rows of a device come back in the order they were appended, each with the token given then.
 * 3. A row leaves only when it is known to be in the table or was set aside as a dead letter.
 */
export interface Spool {
  /** 4 of [0-9a-z]; the owner in offset tokens. A spool that lost its memory has a new one. */
  readonly instance: string
  /** Made on first use. */
  device(hostname: string): DeviceLog
  devices(): Iterable<DeviceLog>
  /** Bytes of rows it holds. */
  readonly bytes: number
  /** Rows of one message, one device; tokens are given in this order. Rejects with `E_SPOOL_FULL`, taking none. */
  append(device: DeviceLog, rows: readonly NewRow[]): Promise<void>
  /** Facts of a device have changed; resolves when that is as durable as rows are. */
  save(device: DeviceLog): Promise<void>
  close(): Promise<void>
}
