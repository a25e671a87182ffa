import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { Stop, type StopSignal } from '../../src/stop.ts'

/** So many failures in a row, over all devices, are an outage; fewer are a bad day, on which backing off is right. */
const OUTAGE = 20
/** In an outage so many devices ask on at their pace: it is over for all when one is answered. */
const ASKING = 10
const OVER = 'the outage is over'
/** Over is what has not come back for so long: a service that stumbles twice in a second is one trouble, not two. */
const SETTLED_MS = 5_000
/** What lasts is told again so often. */
const REMIND_MS = 60 * 60_000

/** A code that holds rows back. */
interface Known {
  readonly devices: Set<string>
  times: number
  toldAt: number
  /** Ends the wait for it to be over. */
  cancel: (() => void) | undefined
}

/**
 * Tells of what hits lanes alike (Snowflake out of reach, a key, a grant, a pipe) once, not once per device and attempt; again after
 * each hour that it lasts; and when it is over for all of them.
 */
export class Trouble {
  readonly #log: Log
  readonly #clock: Clock
  /** How often Snowflake has taken anything of any device. */
  #served = 0
  /** Calls without success since it last did. */
  #failures = 0
  readonly #resting = new Set<() => void>()
  /** Devices whose last attempt failed: how often anybody had been served by then. */
  readonly #failed = new Map<string, number>()
  readonly #codes = new Map<string, Known>()

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** The codes that hold rows back now. */
  get codes(): string[] {
    return [...this.#codes].flatMap(([code, { devices }]) => (devices.size > 0 ? [code] : []))
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
  async rest(ms: number, clock: Clock, signal: StopSignal): Promise<void> {
    const over = new Stop()
    const wake = () => over.abort(OVER)
    this.#resting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    if (signal.aborted) wake()
    const share = this.#failures < OUTAGE ? 1 : Math.max(1, this.#resting.size / ASKING)
    await clock.sleep(ms * share, over).catch(() => undefined)
    signal.removeEventListener('abort', wake)
    this.#resting.delete(wake)
  }

  /** A person must act: names, grants, credentials. */
  refused(device: string, code: string, reason: string, hint: string, requestId?: string): void {
    this.#tell(device, code, (count) =>
      this.#log.error(
        { code, reason, ...count, hint, ...(requestId !== undefined && { requestId }) },
        'Snowflake refuses rows; they wait in the spool',
      ),
    )
  }

  /** It will pass: no answer, throttling, a server's hiccup. */
  unavailable(device: string, code: string, reason: string, requestId?: string): void {
    this.#failures++
    this.#tell(device, code, (count) =>
      this.#log.warn(
        { code, reason, ...count, ...(requestId !== undefined && { requestId }) },
        'Snowflake cannot take rows now; they wait in the spool',
      ),
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
    for (const [code, known] of this.#codes) {
      if (!known.devices.delete(device) || known.devices.size > 0) continue
      known.cancel = this.#clock.after(SETTLED_MS, () => {
        this.#codes.delete(code)
        this.#log.info({ code, times: known.times }, 'rows go through again: what held them back is over')
      })
    }
  }

  /** Nothing is told any more. */
  close(): void {
    for (const { cancel } of this.#codes.values()) cancel?.()
  }

  #tell(device: string, code: string, write: (count: { times: number; devices: number }) => void): void {
    const now = this.#clock.monotonic()
    const known = this.#codes.get(code) ?? {
      devices: new Set<string>(),
      times: 0,
      toldAt: Number.NEGATIVE_INFINITY,
      cancel: undefined,
    }
    this.#codes.set(code, known)
    known.cancel?.()
    known.cancel = undefined
    known.devices.add(device)
    known.times++
    this.#failed.set(device, this.#served)
    if (now - known.toldAt < REMIND_MS) return
    known.toldAt = now
    write({ times: known.times, devices: known.devices.size })
  }
}
