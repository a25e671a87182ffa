import { randomId } from '../../src/random-id.ts'
import type { DeviceLog, NewRow, TakeOver } from './device-log.ts'
import { Devices } from './devices.ts'
import { type Spool, spoolFull } from './spool.ts'

/**
 * A spool that survives nothing but its own process. What it loses, the publishers' outboxes still have: they
 * let go of a reading only when the ledger lists it as committed, and send again when the instance changes.
 */
export class MemorySpool implements Spool {
  readonly failed = new Promise<never>(() => undefined)
  #instance: string
  readonly #devices: Devices

  constructor(maxBytes: number, instance: string = randomId(4)) {
    this.#devices = new Devices(maxBytes)
    this.#instance = instance
  }

  get instance(): string {
    return this.#instance
  }

  get bytes(): number {
    return this.#devices.usage.bytes
  }

  device(hostname: string): DeviceLog {
    return this.#devices.of(hostname)
  }

  devices(): Iterable<DeviceLog> {
    return this.#devices.all()
  }

  append(device: DeviceLog, rows: readonly NewRow[]): Promise<void> {
    if (this.#devices.isFullFor(rows)) return Promise.reject(spoolFull())
    device.accept(device.plan(this.instance, rows))
    return Promise.resolve()
  }

  save(_device: DeviceLog): Promise<void> {
    return Promise.resolve()
  }

  trimmed(_device: DeviceLog): void {}

  takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void> {
    device.takeOver(this.instance, takeOver)
    return Promise.resolve()
  }

  renew(): Promise<void> {
    this.#instance = randomId(4)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
