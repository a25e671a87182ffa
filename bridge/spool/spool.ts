import { SnowhatError } from '../../src/errors.ts'
import type { DeviceLog, NewRow, TakeOver } from './device-log.ts'

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
  /** Rows of a device have left because they are in the table: nothing that opening the channel would not tell again. */
  trimmed(device: DeviceLog): void
  /** Gives all rows of a device new tokens; resolves when they are as durable as the old ones were. */
  takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void>
  /** A new instance, because somebody else has used this one: the spool is an old copy. */
  renew(): Promise<void>
  /** Rejects when what it holds may be lost from here on: the process must end. */
  readonly failed: Promise<never>
  close(): Promise<void>
}

/** Nothing is lost: the message is not acknowledged, so the broker keeps it, and the publisher its readings. */
export function spoolFull(cause?: unknown): SnowhatError {
  return new SnowhatError('E_SPOOL_FULL', 'the spool is full', { retryable: true, cause })
}
