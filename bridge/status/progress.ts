import type { Clock } from '../../src/clock.ts'
import type { BridgeEvents } from '../events.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Spool } from '../spool/spool.ts'

/** How long the rows of each device have waited without one of them getting into the table. */
export class Progress {
  readonly #clock: Clock
  /** By hostname, on the monotonic clock: since when rows wait, or when some of them were committed last. */
  readonly #since = new Map<string, number>()

  constructor(events: BridgeEvents, spool: Spool, clock: Clock) {
    this.#clock = clock
    // Left by an earlier process: they count from here on, whether anybody looks or not.
    for (const { hostname, waiting } of spool.devices()) if (waiting > 0) this.#since.set(hostname, clock.monotonic())
    events.on('readings:spooled', (hostname, rows) => {
      // Those on the disk wait as well.
      const waited = spool.device(hostname).waiting > rows.length
      if (!waited || !this.#since.has(hostname)) this.#since.set(hostname, clock.monotonic())
    })
    events.on('rows:committed', (hostname) => this.#since.set(hostname, clock.monotonic()))
    events.on('device:forgotten', (hostname) => this.#since.delete(hostname))
  }

  /** Milliseconds; 0 when nothing waits. */
  standstill(device: DeviceLog): number {
    const now = this.#clock.monotonic()
    if (device.waiting === 0) {
      this.#since.delete(device.hostname)
      return 0
    }
    const since = this.#since.get(device.hostname) ?? now
    this.#since.set(device.hostname, since)
    return now - since
  }
}
