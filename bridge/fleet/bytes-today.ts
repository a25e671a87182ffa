import type { Clock } from '../../src/clock.ts'
import type { BridgeEvents } from '../events.ts'
import { dayEnd } from '../status/local-day.ts'

/** Bytes sent per device since midnight, local time, or since the process has started. */
export class BytesToday {
  readonly #clock: Clock
  readonly #bytes = new Map<string, number>()
  #end: number

  constructor(events: BridgeEvents, clock: Clock) {
    this.#clock = clock
    this.#end = dayEnd(clock.now())
    events.on('batch:appended', (device, _rows, bytes) => this.#bytes.set(device, this.of(device) + bytes))
    events.on('device:forgotten', (device) => this.#bytes.delete(device))
  }

  of(hostname: string): number {
    const now = this.#clock.now()
    if (now >= this.#end) {
      this.#bytes.clear()
      this.#end = dayEnd(now)
    }
    return this.#bytes.get(hostname) ?? 0
  }
}
