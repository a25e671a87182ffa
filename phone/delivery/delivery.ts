import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import { messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage } from '../../src/mqtt-link.ts'
import { Sender, type SendingLink } from '../../src/outbox/sender.ts'
import { Waiters } from '../../src/outbox/waiters.ts'
import type { Topics } from '../../src/topics.ts'
import { type PhoneTopics, ROW_KINDS, type RowKind } from '../topics.ts'
import { encodeRows, type Row } from './row.ts'
import { RowOutbox } from './row-outbox.ts'

/** A row, whose it is and where it belongs. */
export interface MadeRow {
  readonly device: string
  readonly kind: RowKind
  readonly row: Row
}

/** Up to where rows of a device and kind have been made. */
export interface Made {
  readonly device: string
  readonly kind: RowKind
  readonly stream: string
  readonly seq: number
}

export interface DeliverySettings {
  /** Bytes of rows that may be held. */
  readonly maxBytes: number
  /** Shortest time between two rows of a device, ms: backlog goes a multiple as fast. */
  readonly rowIntervalMs: number
}

export interface DeliveryDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** One phone may hold that share of the memory. */
const SHARE = 4
/** Where no bridge was ever heard little is kept: it may be for nobody. */
const ALONE_SHARE = 8
/** A phone whose rows stand still for so long while those of others move stands in their way. */
const STUCK_MS = 600_000
const LOOK_EVERY_MS = 1_000

interface Way {
  readonly device: string
  readonly kind: RowKind
  readonly outbox: RowOutbox
  readonly sender: Sender<Row>
}

/**
 * Brings rows to the bridge: an outbox and a sender for each phone and kind of row. What it holds is bounded: `room` waits, and
 * who makes rows waits with it. Rows are given up only where no bridge was ever heard, and for a phone that stands in the way of others.
 */
export class Delivery {
  readonly #settings: DeliverySettings
  readonly #topics: Topics
  readonly #phoneTopics: PhoneTopics
  readonly #deps: DeliveryDeps
  /** By device key. */
  readonly #ways = new Map<string, Way>()
  readonly #ledgers = new Map<string, Way>()
  /** What the bridge last said on a topic on this connection, and who has heard it. */
  readonly #words = new Map<string, { readonly payload: Buffer; readonly heardBy: Set<Way> }>()
  /** Device keys of phones that are forgotten. */
  readonly #leaving = new Set<string>()
  readonly #waiters = new Waiters()
  #link: SendingLink | undefined
  #bridgeSeen = false
  readonly #warned = new Doubling()

  constructor(settings: DeliverySettings, topics: Topics, phoneTopics: PhoneTopics, deps: DeliveryDeps) {
    this.#settings = settings
    this.#topics = topics
    this.#phoneTopics = phoneTopics
    this.#deps = deps
  }

  /** Bytes of rows that are not known to be in the table. */
  get bytes(): number {
    let bytes = 0
    for (const { outbox } of this.#ways.values()) bytes += outbox.bytes
    return bytes
  }

  get size(): number {
    let size = 0
    for (const { outbox } of this.#ways.values()) size += outbox.size
    return size
  }

  /** Phones' kinds of rows that have a sender. */
  get devices(): number {
    return this.#ways.size
  }

  get givenUp(): number {
    let rows = 0
    for (const { outbox } of this.#ways.values()) rows += outbox.givenUp
    return rows
  }

  get bridgeSeen(): boolean {
    return this.#bridgeSeen
  }

  /** Goes on after an earlier run: numbers up to which rows were made, the rows of them that are not in the table, what was heard. */
  async resume(made: readonly Made[], rows: readonly MadeRow[], bridgeSeen: boolean): Promise<void> {
    this.#bridgeSeen = bridgeSeen
    for (const { device, kind, stream, seq } of made)
      if (seq > 0) this.#wayOf(device, kind).outbox.continueAfter(stream, seq)
    const firsts = new Set<string>()
    for (const { device, kind, row } of rows) {
      const key = this.#phoneTopics.key(kind, device)
      // A phone may have begun anew since: what stands before its first row is that row's affair.
      if (!firsts.has(key) && row.seq > 1) this.#wayOf(device, kind).outbox.continueAfter(row.stream, row.seq - 1)
      firsts.add(key)
      await this.add({ device, kind, row: { ...row, of: 0 } })
    }
  }

  async add({ device, kind, row }: MadeRow): Promise<void> {
    await this.#wayOf(device, kind).sender.submit(row)
  }

  /** No more rows of that device will come: its senders go as soon as the rows they hold are in the table. */
  forget(device: string): void {
    for (const kind of ROW_KINDS) {
      const key = this.#phoneTopics.key(kind, device)
      if (this.#ways.has(key)) this.#leaving.add(key)
    }
    this.#dropLeaving()
  }

  /** Resolves when there is room for more rows, or when the signal aborts. */
  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#giveUp()
      if (!this.#isFull()) return
      const again = new AbortController()
      const look = () => again.abort()
      const cancel = this.#deps.clock.after(LOOK_EVERY_MS, look)
      // Not `AbortSignal.any`: on a signal that lives as long as the program each one would stay for ever [observed, Node 20].
      signal.addEventListener('abort', look, { once: true })
      await this.#waiters.until(() => !this.#isFull(), again.signal)
      signal.removeEventListener('abort', look)
      cancel()
    }
  }

  /** Rows that are not known to be in the table and were made of the records up to that one; those of a device and kind oldest first. */
  *held(through: number): Generator<MadeRow> {
    for (const { device, kind, outbox } of this.#ways.values())
      for (const row of outbox.rowsThrough(through)) yield { device, kind, row }
  }

  async connected(link: SendingLink): Promise<void> {
    this.#link = link
    await Promise.all([...this.#ways.values()].map(({ sender }) => sender.connected(link)))
  }

  disconnected(): void {
    this.#link = undefined
    this.#words.clear()
    for (const { sender } of this.#ways.values()) sender.disconnected()
  }

  /** True when the message was about what has become of rows. */
  async message(message: IncomingMessage): Promise<boolean> {
    const way = this.#ledgers.get(message.topic)
    if (way !== undefined) await way.sender.message(message)
    else if (message.topic === this.#topics.bridgeAvailability || message.topic === this.#topics.bridgeInfo)
      await this.#tellAll(message)
    else return false
    return true
  }

  /** Resolves when all that can be sent is with the broker, or when the signal aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#ways.values()].map(({ sender }) => sender.settled(signal)))
  }

  close(): void {
    for (const { sender } of this.#ways.values()) sender.close()
  }

  /** Each sender's subscription brings the bridge's words again, to all of them: what one has heard is not news to it. */
  async #tellAll(message: IncomingMessage): Promise<void> {
    const { topic, payload } = message
    let word = this.#words.get(topic)
    if (word === undefined || !word.payload.equals(payload)) {
      word = { payload, heardBy: new Set() }
      this.#words.set(topic, word)
    }
    const { heardBy } = word
    if (heardBy.size === this.#ways.size) return
    for (const way of this.#ways.values()) {
      if (heardBy.has(way)) continue
      heardBy.add(way)
      await way.sender.message(message)
    }
  }

  #wayOf(device: string, kind: RowKind): Way {
    const key = this.#phoneTopics.key(kind, device)
    const known = this.#ways.get(key)
    this.#leaving.delete(key)
    if (known !== undefined) return known
    const { clock, log } = this.#deps
    const outbox = new RowOutbox(clock, () => this.#changed())
    const sender = new Sender(key, this.#phoneTopics.ofSender(kind, device), this.#settings.rowIntervalMs, {
      ...this.#deps,
      log: log.child({ device: key }),
      events: { emit: () => undefined },
      outbox,
      encode: encodeRows,
    })
    const way = { device, kind, outbox, sender }
    this.#ways.set(key, way)
    this.#ledgers.set(this.#topics.ledger(key), way)
    const link = this.#link
    // Refused here it is refused at the next connection too, which then says so.
    if (link !== undefined)
      void sender
        .connected(link)
        .catch((error: unknown) => log.warn({ device: key, reason: messageOf(error) }, 'the ledger cannot be heard'))
    return way
  }

  #changed(): void {
    this.#bridgeSeen ||= [...this.#ways.values()].some(({ outbox }) => outbox.notes.bridge_seen)
    this.#dropLeaving()
    this.#waiters.look()
  }

  #dropLeaving(): void {
    for (const key of this.#leaving) {
      const way = this.#ways.get(key)
      if (way !== undefined && way.outbox.size > 0) continue
      this.#leaving.delete(key)
      if (way !== undefined) this.#dismiss(key, way)
    }
  }

  #dismiss(key: string, way: Way): void {
    way.sender.close()
    this.#ways.delete(key)
    this.#ledgers.delete(this.#topics.ledger(key))
    for (const { heardBy } of this.#words.values()) heardBy.delete(way)
  }

  #isFull(): boolean {
    const { maxBytes } = this.#settings
    let bytes = 0
    for (const { outbox } of this.#ways.values()) {
      if (outbox.bytes > maxBytes / SHARE) return true
      bytes += outbox.bytes
    }
    return bytes > maxBytes
  }

  #giveUp(): void {
    const { maxBytes } = this.#settings
    if (!this.#bridgeSeen) this.#keepLittle(maxBytes / ALONE_SHARE)
    else
      for (const { outbox } of this.#ways.values())
        if (outbox.bytes > maxBytes / SHARE) this.#freeTheWay(outbox, maxBytes / SHARE)
  }

  #keepLittle(most: number): void {
    if (this.bytes <= most) return
    for (const { outbox } of this.#ways.values()) outbox.giveUpOldest(outbox.bytes / 2)
    this.#warned.when((times) =>
      this.#deps.log.warn(
        { rows: this.givenUp, times },
        'no bridge has come for the rows of phones: the oldest are given up',
      ),
    )
  }

  #freeTheWay(outbox: RowOutbox, share: number): void {
    const moves = ({ outbox: other }: Way) => other !== outbox && other.stillMs < STUCK_MS
    if (outbox.stillMs < STUCK_MS || ![...this.#ways.values()].some(moves)) return
    outbox.giveUpOldest(share / 2)
    this.#deps.log.error(
      { rows: outbox.givenUp },
      'rows of a phone stand still and in the way of others: the oldest are given up',
    )
  }
}
