import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Ledger, LedgerBudget } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { StopSignal } from '../../src/stop.ts'
import type { Topics } from '../../src/topics.ts'
import type { BridgeEvents } from '../events.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Spool } from '../spool/spool.ts'
import { ledgerOf } from './ledger-of.ts'

export interface LedgerPublisherDeps {
  readonly clock: Clock
  readonly log: Log
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly topics: Topics
  /** Retained, QoS 1; resolves with the broker's PUBACK. */
  readonly publish: (topic: string, payload: string) => Promise<void>
  /** Reads the device's retained ledger; `null` when there is none. Waits for the broker. */
  readonly retainedLedger: (hostname: string, signal: StopSignal) => Promise<Ledger | null>
  /** What is to be said of the budget in the ledger of this device. */
  readonly budget?: (hostname: string) => LedgerBudget | undefined
  /** A new run of this device stands in a ledger that the broker has acknowledged. */
  readonly onAnnounced: (device: DeviceLog) => void
}

/** A device's ledger is written at most this often, but for new runs and new connections. */
const INTERVAL_MS = 5_000
/**
 * Those of a large fleet less often: together so many a second, which is what a broker on a small machine can spare beside the
 * readings [assumed].
 */
const MOST_PER_SECOND = 1_000
/** Publishers send again after 30 s in which their ledger shows no progress [contract]: it must be younger than that. */
const LONGEST_INTERVAL_MS = 20_000
const SWEEP_MS = 500
/** Ledgers read at once before they are written for the first time: a lane that has opened its channel waits for its own. */
const READ_AT_ONCE = 20

interface Announcement {
  readonly ordinal: number
  readonly term: number
}

const NOTHING: Announcement = { ordinal: 0, term: 0 }

interface Book {
  lastPublished: number
  /** Highest ordinal in an acknowledged ledger, and the term it belongs to. */
  announced: Announcement
  /** The same of ledgers on their way to the broker. */
  underWay: Announcement
  publishing: Promise<void>
  /** The broker is being asked what it holds. */
  reading: boolean
}

/** Writes the ledgers. Speaks only between `connected` and `disconnected`. */
export class LedgerPublisher {
  readonly #deps: LedgerPublisherDeps
  readonly #books = new Map<DeviceLog, Book>()
  readonly #dirty = new Set<DeviceLog>()
  readonly #stop = new AbortController()
  readonly #sweeping: Promise<void>
  readonly #refusals = new Doubling()
  #speaking = false
  /** Ledgers that are being read. */
  #reading = 0

  constructor(deps: LedgerPublisherDeps) {
    this.#deps = deps
    this.#sweeping = this.#sweep()
  }

  /** The broker does not take ledgers, so no new run can be announced. */
  get refused(): boolean {
    return this.#refusals.times > 0
  }

  /** Something the ledger says has changed. */
  touch(device: DeviceLog): void {
    this.#dirty.add(device)
  }

  /** Whether rows of this ordinal may be appended: a ledger naming their run is with the broker. */
  isAnnounced(device: DeviceLog, ordinal: number): boolean {
    const { announced } = this.#book(device)
    return announced.term === device.term && ordinal <= announced.ordinal
  }

  /** Publishes the ledger now, because a new run waits for it. `onAnnounced` tells when it is with the broker. */
  announce(device: DeviceLog): void {
    this.touch(device)
    const { underWay } = this.#book(device)
    const ordinal = device.newest?.ordinal ?? 0
    const awaited = underWay.term === device.term && underWay.ordinal >= ordinal
    if (this.#speaking && !awaited) this.#publish(device)
  }

  /** Every ledger goes out again: what was learned just before the connection broke was perhaps never heard. */
  connected(): void {
    this.#speaking = true
    let now = MOST_PER_SECOND
    for (const device of this.#deps.spool.devices()) {
      if (now-- > 0) {
        this.#publish(device)
        continue
      }
      // Those of a large fleet follow: all at once they would hold up what else there is to say.
      this.#book(device).lastPublished = Number.NEGATIVE_INFINITY
      this.touch(device)
    }
  }

  disconnected(): void {
    this.#speaking = false
  }

  /** Publishes what has changed without waiting for its turn, and waits for the broker. */
  async flush(): Promise<void> {
    if (this.#speaking) for (const device of [...this.#dirty]) this.#publish(device)
    await Promise.all([...this.#books.values()].map((book) => book.publishing))
  }

  /** The device is out of use: waits for what is under way to the broker; nothing of it follows until it comes back. */
  async leave(device: DeviceLog): Promise<void> {
    const book = this.#books.get(device)
    this.#books.delete(device)
    await book?.publishing
  }

  current(device: DeviceLog): Ledger {
    const { budget, clock, spool } = this.#deps
    const { hostname, ledgerId: id } = device
    return ledgerOf(device, { id, instance: spool.instance, now: clock.now(), budget: budget?.(hostname) })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#sweeping
  }

  #book(device: DeviceLog): Book {
    let book = this.#books.get(device)
    if (book === undefined) {
      book = {
        lastPublished: Number.NEGATIVE_INFINITY,
        announced: NOTHING,
        underWay: NOTHING,
        publishing: Promise.resolve(),
        reading: false,
      }
      this.#books.set(device, book)
    }
    return book
  }

  async #sweep(): Promise<void> {
    const { clock } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(SWEEP_MS, this.#stop.signal).catch(() => undefined)
      if (this.#speaking) this.#publishDue(clock.monotonic() - this.#intervalMs)
    }
  }

  /** Between two ledgers of one device. */
  get #intervalMs(): number {
    const shared = (this.#books.size / MOST_PER_SECOND) * 1_000
    return Math.min(LONGEST_INTERVAL_MS, Math.max(INTERVAL_MS, shared))
  }

  /** Those that were written before `due`, in the order in which they changed; what is too much waits for the next time. */
  #publishDue(due: number): void {
    let most = (MOST_PER_SECOND * SWEEP_MS) / 1_000
    for (const device of this.#dirty) {
      const book = this.#book(device)
      if (book.lastPublished > due || book.reading) continue
      if (!device.ledgerRead && this.#reading >= READ_AT_ONCE) continue
      if (most-- <= 0) return
      this.#publish(device)
    }
  }

  /**
   * A first ledger must not lie over one that was never read: it may tell what another bridge has committed, or this one
   * before it was killed, which its disk does not know.
   */
  #publish(device: DeviceLog): void {
    if (device.ledgerRead) this.#publishNow(device)
    else void this.#readFirst(device)
  }

  async #readFirst(device: DeviceLog): Promise<void> {
    const { log, retainedLedger, spool } = this.#deps
    const book = this.#book(device)
    if (book.reading) return
    if (this.#reading >= READ_AT_ONCE) {
      this.touch(device)
      return
    }
    book.reading = true
    this.#reading++
    try {
      const ledger = await retainedLedger(device.hostname, this.#stop.signal)
      if (device.readLedger(ledger, spool.instance)) await spool.save([device])
      if (this.#speaking) this.#publishNow(device)
    } catch (error) {
      if (!this.#stop.signal.aborted) log.warn({ err: error, device: device.hostname }, 'cannot read a ledger yet')
    } finally {
      book.reading = false
      this.#reading--
    }
  }

  #publishNow(device: DeviceLog): void {
    const { clock, events, log, topics } = this.#deps
    this.#dirty.delete(device)
    if (device.retired) return
    const book = this.#book(device)
    book.lastPublished = clock.monotonic()
    device.ledgerId = Math.max(device.ledgerId, device.predecessor?.id ?? 0) + 1
    const ledger = this.current(device)
    const announced = { ordinal: device.opened ? (device.newest?.ordinal ?? 0) : 0, term: device.term }
    book.underWay = announced
    book.publishing = this.#deps.publish(topics.ledger(device.hostname), JSON.stringify(ledger)).then(
      () => {
        this.#refusals.reset()
        events.emit('ledger:published', device.hostname, ledger.id)
        if (announced.term !== device.term) return
        const before = book.announced
        if (before.term === announced.term && before.ordinal >= announced.ordinal) return
        book.announced = announced
        this.#deps.onAnnounced(device)
      },
      (error: unknown) => {
        // The next connection publishes every ledger again.
        book.underWay = NOTHING
        this.touch(device)
        const lost = error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED'
        if (lost) return
        const hint = 'let the bridge write bridge/devices/# at the broker (access rules): without it no row is sent'
        this.#refusals.when((times) =>
          log.error({ device: device.hostname, reason: messageOf(error), times, hint }, 'the broker refuses a ledger'),
        )
      },
    )
  }
}
