import { DeviceLog } from './device-log.ts'
import { type Arrival, bytesOf } from './spool.ts'
import type { SpoolUsage } from './spooled-row.ts'

/** The devices of a spool, and the bytes of rows they hold together. */
export class Devices {
  readonly usage: SpoolUsage
  readonly #devices = new Map<string, DeviceLog>()
  readonly #maxBytes: number

  constructor(maxBytes: number, usage: SpoolUsage = { bytes: 0, loaded: 0 }) {
    this.#maxBytes = maxBytes
    this.usage = usage
  }

  /** Those out of use too. */
  get size(): number {
    return this.#devices.size
  }

  /** Made on first use. */
  of(hostname: string): DeviceLog {
    const known = this.#devices.get(hostname)
    if (known !== undefined) return known
    const device = new DeviceLog(hostname, this.usage)
    this.#devices.set(hostname, device)
    return device
  }

  /** Those in use. */
  *present(): Generator<DeviceLog> {
    for (const device of this.#devices.values()) if (!device.retired) yield device
  }

  /** Undefined when it was never there; it may be out of use. */
  known(hostname: string): DeviceLog | undefined {
    return this.#devices.get(hostname)
  }

  /** Those out of use too. */
  all(): IterableIterator<DeviceLog> {
    return this.#devices.values()
  }

  /** Whether these rows are too many. One group always fits: it would block the way for ever otherwise. */
  isFullFor(arrivals: readonly Arrival[]): boolean {
    const bytes = arrivals.reduce((sum, { rows }) => sum + bytesOf(rows), 0)
    return this.usage.bytes > 0 && this.usage.bytes + bytes > this.#maxBytes
  }
}
