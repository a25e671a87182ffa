import type { Clock } from '../../src/clock.ts'
import type { BridgeEvents } from '../events.ts'

/** Of one device, and of all together. */
const MOST = { ofDevice: 20, ofAll: 2_000 }
/** Of a sentence: parts of it come from payloads. */
const LONGEST = 300

/** Something that went wrong with a device's readings or rows. */
export interface RecentError {
  readonly code: string
  /** One sentence. */
  readonly message: string
  /** ISO 8601 UTC; the last time. */
  readonly at: string
  readonly times: number
}

/** What went wrong lately, device by device, the newest first. In memory only, and bounded. */
export class RecentErrors {
  readonly #clock: Clock
  /** The device that has erred last comes last; of one device the newest error comes last. */
  readonly #devices = new Map<string, RecentError[]>()
  #count = 0

  constructor(events: BridgeEvents, clock: Clock) {
    this.#clock = clock
    events.on('reading:refused', (device, code, reason) => this.#add(device, code, reason))
    events.on('rows:rejected', (device, rows, message) =>
      this.#add(
        device,
        'rows_rejected',
        `Snowflake could not store ${rows} of its rows${message ? `: ${message}` : ''}`,
      ),
    )
    events.on('lane:blocked', (device, code, reason) => this.#add(device, code, reason))
    events.on('channel:reopened', (device, reason, rows) =>
      this.#add(device, 'channel_reopened', `${reason}; ${rows} rows were sent again`),
    )
    events.on('device:forgotten', (device) => this.#drop(device))
  }

  of(hostname: string): RecentError[] {
    return [...(this.#devices.get(hostname) ?? [])].reverse()
  }

  #add(hostname: string, code: string, text: string): void {
    // What came on a topic that names no device is nobody's.
    if (hostname === '') return
    const message = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
    const known = this.#devices.get(hostname) ?? []
    const same = known.findIndex((one) => one.code === code && one.message === message)
    const [before] = same < 0 ? [] : known.splice(same, 1)
    known.push({ code, message, at: new Date(this.#clock.now()).toISOString(), times: (before?.times ?? 0) + 1 })
    if (before === undefined) this.#count++
    if (known.length > MOST.ofDevice) {
      known.shift()
      this.#count--
    }
    this.#devices.delete(hostname)
    this.#devices.set(hostname, known)
    while (this.#count > MOST.ofAll) this.#drop(this.#devices.keys().next().value ?? hostname)
  }

  #drop(hostname: string): void {
    this.#count -= this.#devices.get(hostname)?.length ?? 0
    this.#devices.delete(hostname)
  }
}
