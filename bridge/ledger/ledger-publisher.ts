import type { Clock } from '../../src/clock.ts'
import type { Ledger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
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
  /** A new run of this device stands in a ledger that the broker has acknowledged. */
  readonly onAnnounced: (device: DeviceLog) => void
}

/** A device's ledger is written at most this often, but for new runs and new connections. */
const INTERVAL_MS = 5_000
const SWEEP_MS = 500

interface Book {
  id: number
  lastPublished: number
  /** Highest ordinal in an acknowledged ledger, and the term it belongs to. */
  announced: { ordinal: number; term: number }
  publishing: Promise<void>
}

/** Writes the ledgers. Speaks only between `connected` and `disconnected`. */
export class LedgerPublisher {
  readonly #deps: LedgerPublisherDeps
  readonly #books = new Map<DeviceLog, Book>()
  readonly #dirty = new Set<DeviceLog>()
  readonly #stop = new AbortController()
  readonly #sweeping: Promise<void>
  #speaking = false

  constructor(deps: LedgerPublisherDeps) {
    this.#deps = deps
    this.#sweeping = this.#sweep()
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
    if (this.#speaking) this.#publish(device)
  }

  /** Every ledger goes out again: what was learned just before the connection broke was perhaps never heard. */
  connected(): void {
    this.#speaking = true
    for (const device of this.#deps.spool.devices()) this.#publish(device)
  }

  disconnected(): void {
    this.#speaking = false
  }

  /** Publishes what has changed without waiting for its turn, and waits for the broker. */
  async flush(): Promise<void> {
    if (this.#speaking) for (const device of [...this.#dirty]) this.#publish(device)
    await Promise.all([...this.#books.values()].map((book) => book.publishing))
  }

  current(device: DeviceLog): Ledger {
    const { id } = this.#book(device)
    return ledgerOf(device, { id, instance: this.#deps.spool.instance, now: this.#deps.clock.now() })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#sweeping
  }

  #book(device: DeviceLog): Book {
    let book = this.#books.get(device)
    if (book === undefined) {
      book = {
        id: 0,
        lastPublished: Number.NEGATIVE_INFINITY,
        announced: { ordinal: 0, term: 0 },
        publishing: Promise.resolve(),
      }
      this.#books.set(device, book)
    }
    return book
  }

  async #sweep(): Promise<void> {
    const { clock } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(SWEEP_MS, this.#stop.signal).catch(() => undefined)
      if (!this.#speaking) continue
      const due = clock.monotonic() - INTERVAL_MS
      for (const device of [...this.#dirty]) if (this.#book(device).lastPublished <= due) this.#publish(device)
    }
  }

  #publish(device: DeviceLog): void {
    const { clock, events, log, spool, topics } = this.#deps
    const book = this.#book(device)
    this.#dirty.delete(device)
    book.lastPublished = clock.monotonic()
    book.id = Math.max(book.id, device.predecessor?.id ?? 0) + 1
    const ledger = ledgerOf(device, { id: book.id, instance: spool.instance, now: clock.now() })
    const announced = { ordinal: device.opened ? (device.rows.at(-1)?.token.ordinal ?? 0) : 0, term: device.term }
    book.publishing = this.#deps.publish(topics.ledger(device.hostname), JSON.stringify(ledger)).then(
      () => {
        events.emit('ledger:published', device.hostname, ledger.id)
        if (announced.term !== device.term) return
        const before = book.announced
        if (before.term === announced.term && before.ordinal >= announced.ordinal) return
        book.announced = announced
        this.#deps.onAnnounced(device)
      },
      (error: unknown) => {
        // The next connection publishes every ledger again.
        this.touch(device)
        log.debug({ err: error, device: device.hostname }, 'a ledger was not acknowledged')
      },
    )
  }
}
