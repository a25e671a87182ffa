import { randomId } from '../../src/random-id.ts'
import type { TakeOver } from '../lanes/take-over.ts'
import type { DeviceLog } from './device-log.ts'
import { Devices } from './devices.ts'
import { forgetChannel, retire } from './retire.ts'
import { type Arrival, ASIDE_BYTES, bytesOf, rowsWait, type Spool, spoolFull } from './spool.ts'

/**
 * A spool that survives nothing but its own process. What it loses, the publishers' outboxes still have: they
 * let go of a reading only when the ledger lists it as committed, and send again when the instance changes.
 */
export class MemorySpool implements Spool {
  readonly failed = new Promise<never>(() => undefined)
  readonly durable = false
  readonly busyMs = 0
  readonly crowded = false
  /** Never called: all rows are in memory. */
  onLoaded: (device: DeviceLog) => void = () => undefined
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
    return this.#devices.present()
  }

  known(hostname: string): DeviceLog | undefined {
    return this.#devices.known(hostname)
  }

  append(arrivals: readonly Arrival[]): Promise<ReadonlySet<DeviceLog>> {
    const away = new Set(
      arrivals.filter(({ device, rows }) => device.aside && device.bytes + bytesOf(rows) > ASIDE_BYTES).map(deviceOf),
    )
    const here = arrivals.filter(({ device }) => !away.has(device))
    if (this.#devices.isFullFor(here)) return Promise.reject(spoolFull())
    for (const { device, rows } of here) device.accept(device.plan(this.instance, rows), true)
    return Promise.resolve(away)
  }

  save(_devices: readonly DeviceLog[]): Promise<void> {
    return Promise.resolve()
  }

  trimmed(device: DeviceLog): void {
    if (device.waiting === 0) device.aside = false
  }

  isReading(_device: DeviceLog): boolean {
    return false
  }

  eased(_device: DeviceLog): void {
    // What waits, waits in memory.
  }

  takeOver(device: DeviceLog, takeOver: TakeOver): Promise<void> {
    device.takeOver(this.instance, takeOver)
    return Promise.resolve()
  }

  retire(device: DeviceLog, giveUp: boolean): Promise<void> {
    if (device.waiting > 0 && !giveUp) return Promise.reject(rowsWait(device))
    retire(device, { main: 0, aside: 0 })
    this.trimmed(device)
    return Promise.resolve()
  }

  forgetChannel(device: DeviceLog): Promise<void> {
    forgetChannel(device)
    return Promise.resolve()
  }

  /** There is one memory: its bound is all that can be done. */
  moveAside(devices: readonly DeviceLog[]): Promise<void> {
    for (const device of devices) device.aside = true
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

function deviceOf({ device }: Arrival): DeviceLog {
  return device
}
