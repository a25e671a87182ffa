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

  constructor(instance: string = randomId(4)) {
    this.instance = instance
  }

  device(hostname: string): DeviceLog {
    let device = this.#devices.get(hostname)
    if (device === undefined) {
      device = new DeviceLog(hostname)
      this.#devices.set(hostname, device)
    }
    return device
  }

  devices(): Iterable<DeviceLog> {
    return this.#devices.values()
  }

  append(device: DeviceLog, rows: readonly NewRow[]): Promise<void> {
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
