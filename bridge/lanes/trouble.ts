import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import type { Log } from '../../src/log.ts'

/** So many failures in a row, over all devices, are an outage; fewer are a bad day, on which backing off is right. */
const OUTAGE = 20
/** In an outage so many devices ask on at their pace: it is over for all when one is answered. */
const ASKING = 10
const OVER = 'the outage is over'

/**
 * Tells of what hits lanes alike (Snowflake out of reach, a key, a grant, a pipe) once and then at each doubling, not
 * once per device and attempt; and tells when it is over for all of them.
 */
export class Trouble {
  readonly #log: Log
  /** How often Snowflake has taken anything of any device. */
  #served = 0
  /** Calls without success since it last did. */
  #failures = 0
  readonly #resting = new Set<() => void>()
  /** Devices whose last attempt failed: how often anybody had been served by then. */
  readonly #failed = new Map<string, number>()
  readonly #codes = new Map<string, { readonly devices: Set<string>; readonly times: Doubling }>()

  constructor(log: Log) {
    this.#log = log
  }

  /** The codes that hold rows back now. */
  get codes(): string[] {
    return [...this.#codes.keys()]
  }

  /** Rises whenever Snowflake takes something of anybody. */
  get served(): number {
    return this.#served
  }

  /** How often anybody had been served when this device last failed; `undefined` after its own success. */
  failedAfter(device: string): number | undefined {
    return this.#failed.get(device)
  }

  /**
   * Waits so long, but no longer than until an outage is over: then all would else find out one by one, half a minute late.
   * While it lasts all together ask as often as a few would: a fleet that knocks at a closed door has the cost of it.
   */
  async rest(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const wake = () => over.abort(OVER)
    this.#resting.add(wake)
    // Not `AbortSignal.any`: on a signal that lives as long as the lane each one would stay for ever [observed, Node 20].
    signal.addEventListener('abort', wake, { once: true })
    if (signal.aborted) wake()
    const share = this.#failures < OUTAGE ? 1 : Math.max(1, this.#resting.size / ASKING)
    await clock.sleep(ms * share, over.signal).catch(() => undefined)
    signal.removeEventListener('abort', wake)
    this.#resting.delete(wake)
  }

  /** A person must act: names, grants, credentials. */
  refused(device: string, code: string, reason: string, hint: string): void {
    this.#tell(device, code, (times, devices) =>
      this.#log.error({ code, reason, times, devices, hint }, 'Snowflake refuses rows; they wait in the spool'),
    )
  }

  /** It will pass: no answer, throttling, a server's hiccup. */
  unavailable(device: string, code: string, reason: string): void {
    this.#failures++
    this.#tell(device, code, (times, devices) =>
      this.#log.warn({ code, reason, times, devices }, 'Snowflake cannot take rows now; they wait in the spool'),
    )
  }

  /** Snowflake has taken something of this device. */
  over(device: string): void {
    this.#served++
    if (this.#failures >= OUTAGE) for (const wake of [...this.#resting]) wake()
    this.#failures = 0
    this.gone(device)
  }

  /** The device has no rows any more that could be held back. */
  gone(device: string): void {
    this.#failed.delete(device)
    for (const [code, { devices }] of this.#codes) {
      if (!devices.delete(device) || devices.size > 0) continue
      this.#codes.delete(code)
      this.#log.info({ code }, 'rows go through again: what held them back is over')
    }
  }

  #tell(device: string, code: string, write: (times: number, devices: number) => void): void {
    const known = this.#codes.get(code) ?? { devices: new Set<string>(), times: new Doubling() }
    this.#codes.set(code, known)
    known.devices.add(device)
    this.#failed.set(device, this.#served)
    known.times.when((times) => write(times, known.devices.size))
  }
}
