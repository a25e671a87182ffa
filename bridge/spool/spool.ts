import { counted } from '../../src/counted.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { TakeOver } from '../lanes/take-over.ts'
import type { DeviceLog } from './device-log.ts'
import type { NewRow } from './spooled-row.ts'

/** New rows of one device, in order. */
export interface Arrival {
  readonly device: DeviceLog
  readonly rows: readonly NewRow[]
}

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
  /** What it knows survives its process. */
  readonly durable: boolean
  /** Made on first use. */
  device(hostname: string): DeviceLog
  /** Those in use. */
  devices(): Iterable<DeviceLog>
  /** Also when it is out of use; `undefined` when nothing of it has ever come. */
  known(hostname: string): DeviceLog | undefined
  /** Bytes of rows it holds, without those of devices that are aside. */
  readonly bytes: number
  /** Milliseconds the disk has been at the write under way; 0 at rest, and for a spool in memory. */
  readonly busyMs: number
  /** Rows wait on the disk for room in memory: a device that cannot be delivered holds up the others then. */
  readonly crowded: boolean
  /** Is told of a device whose next rows have come into memory. */
  onLoaded: (device: DeviceLog) => void
  /**
   * One arrival per device; tokens are given in this order. All are taken together, or it rejects with `E_SPOOL_FULL`.
   * Gives the devices whose rows were not taken all the same, because they are aside and have had their share.
   */
  append(arrivals: readonly Arrival[]): Promise<ReadonlySet<DeviceLog>>
  /** Facts of these devices have changed; resolves when that is as durable as rows are. */
  save(devices: readonly DeviceLog[]): Promise<void>
  /** Rows of a device have left because they are in the table: nothing that opening the channel would not tell again. */
  trimmed(device: DeviceLog): void
  /** More rows of the device will be in memory in a moment; `onLoaded` tells when. */
  isReading(device: DeviceLog): boolean
  /** Rows of a device take less memory than they did. */
  eased(device: DeviceLog): void
  /** Gives all rows of a device new tokens; resolves when that is as durable as the rows are. */
  takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void>
  /**
   * Takes a device out of use (`retire.ts`). Rejects with `E_ROWS_WAIT` when rows of it wait and `giveUp` is false; they
   * are given up otherwise.
   */
  retire(device: DeviceLog, giveUp: boolean): Promise<void>
  /** The device's channel was dropped. */
  forgetChannel(device: DeviceLog): Promise<void>
  /**
   * These cannot be delivered while others can: their rows must not fill the disk for those. They come back by themselves
   * when none of their rows is left.
   */
  moveAside(devices: readonly DeviceLog[]): Promise<void>
  /** A new instance, because somebody else has used this one: the spool is an old copy. */
  renew(): Promise<void>
  /** Rejects when what it holds may be lost from here on: the process must end. */
  readonly failed: Promise<never>
  close(): Promise<void>
}

/** What a device that is aside may hold. Beyond it its `spooled` stands still, and its Pi keeps the rest. */
export const ASIDE_BYTES = 64 * 1024 * 1024

/** Nothing is lost: the messages are not acknowledged, so the broker keeps them, and the publishers their readings. */
export function spoolFull(cause?: unknown): SnowhatError {
  return new SnowhatError('E_SPOOL_FULL', 'the spool is full', { retryable: true, cause })
}

/** What would be lost is the only copy this bridge knows of. */
export function rowsWait({ hostname, waiting }: DeviceLog): SnowhatError {
  return new SnowhatError('E_ROWS_WAIT', `${counted(waiting, 'reading')} of ${hostname} not in the table yet`, {
    retryable: true,
    hint: 'wait until they are (snowhat ledger shows it), or force it: what its Pi does not hold any more is lost then',
  })
}

/** Given up, they would be new ones when they come again, and in the table twice. */
export function rowsUnderWay({ hostname }: DeviceLog): SnowhatError {
  return new SnowhatError(
    'E_ROWS_WAIT',
    `readings of ${hostname} are with Snowflake, which has not said yet whether they are in the table`,
    { retryable: true, hint: 'the same again in a moment; if the device is held, decide first how it goes on' },
  )
}

export function bytesOf(rows: readonly NewRow[]): number {
  return rows.reduce((sum, row) => sum + row.json.length, 0)
}
