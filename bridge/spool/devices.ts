import { DeviceLog, type NewRow, type SpoolUsage } from './device-log.ts'

/** The devices of a spool, and the bytes of rows they hold together. */
export class Devices {
  readonly usage: SpoolUsage = { bytes: 0 }
  readonly #devices = new Map<string, DeviceLog>()
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Made on first use. */
  of(hostname: string): DeviceLog {
    const known = this.#devices.get(hostname)
    if (known !== undefined) return known
    const device = new DeviceLog(hostname, this.usage)
    this.#devices.set(hostname, device)
    return device
  }

  restore(device: DeviceLog): void {
    this.#devices.set(device.hostname, device)
  }

  all(): IterableIterator<DeviceLog> {
    return this.#devices.values()
  }

  /** Whether these rows are too many. One message always fits: it would block the way for ever otherwise. */
  isFullFor(rows: readonly NewRow[]): boolean {
    const bytes = rows.reduce((sum, row) => sum + row.json.length, 0)
    return this.usage.bytes > 0 && this.usage.bytes + bytes > this.#maxBytes
  }
}
