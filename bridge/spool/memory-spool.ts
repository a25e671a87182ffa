import { SnowhatError } from '../../src/errors.ts'
import { randomId } from '../../src/random-id.ts'
import { DeviceLog, type NewRow } from './device-log.ts'
import type { Spool } from './spool.ts'

/**
 * A spool that survives nothing but its own process. What it loses, the publishers' outboxes still have: they
 * let go of a reading only when the ledger lists it as committed, and send again when the instance changes.
 */
export class MemorySpool implements Spool {
  readonly instance: string
  readonly #devices = new Map<string, DeviceLog>()
  readonly #usage = { bytes: 0 }
  readonly #maxBytes: number

  constructor(maxBytes: number, instance: string = randomId(4)) {
    this.#maxBytes = maxBytes
    this.instance = instance
  }

  get bytes(): number {
    return this.#usage.bytes
  }

  device(hostname: string): DeviceLog {
    let device = this.#devices.get(hostname)
    if (device === undefined) {
      device = new DeviceLog(hostname, this.#usage)
      this.#devices.set(hostname, device)
    }
    return device
  }

  devices(): Iterable<DeviceLog> {
    return this.#devices.values()
  }

  append(device: DeviceLog, rows: readonly NewRow[]): Promise<void> {
    const bytes = rows.reduce((sum, row) => sum + row.json.length, 0)
    // One message always fits: it would block the way for ever otherwise.
    if (this.#usage.bytes > 0 && this.#usage.bytes + bytes > this.#maxBytes)
      return Promise.reject(new SnowhatError('E_SPOOL_FULL', 'the spool is full', { retryable: true }))
    for (const row of rows) device.append(this.instance, row)
    return Promise.resolve()
  }

  save(_device: DeviceLog): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
