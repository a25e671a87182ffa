import { backoffMs } from '../backoff.ts'
import { instanceIn } from '../bridge-info.ts'
import type { Clock } from '../clock.ts'
import { Doubling } from '../doubling.ts'
import { messageOf, SnowhatError } from '../errors.ts'
import { type Ledger, parseLedger, StreamSets } from '../ledger.ts'
import type { Log } from '../log.ts'
import type { IncomingMessage, MqttLink } from '../mqtt-link.ts'
import { encodeReadings, MAX_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE } from '../reading.ts'
import type { Topics } from '../topics.ts'
import type { BootTime, Numbered, OutboxOf } from './outbox.ts'
import { Pacer } from './pacer.ts'
import { Waiters } from './waiters.ts'

/** What the sender needs of a connection. */
export type SendingLink = Pick<MqttLink, 'publish' | 'subscribe'>

/** Where it sends, and where it hears what became of that. */
export type SenderTopics = Pick<Topics, 'readings' | 'ledger' | 'bridgeAvailability' | 'bridgeInfo'>

/** What it tells; these report and never steer. */
export interface SenderEvents {
  emit(name: 'readings:delivered' | 'readings:committed', readings: number): void
  emit(name: 'readings:resent', readings: number, reason: string): void
}

export interface SenderDeps<T extends Numbered> {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly events: SenderEvents
  readonly outbox: OutboxOf<T>
  /** The bytes of one message; by default the JSON of the readings. */
  readonly encode?: (readings: readonly T[]) => string
}

/** Messages with readings that await their PUBACK; half of what the link allows, `state` takes from the rest. */
const WINDOW = 10
/** After SUBACK the retained ledger is on its way; sending before it came would send again what is spooled. */
const SETTLE_MS = 300
const TICK_MS = 1_000
/** Without progress, and without a word from the bridge, for that long: ask, and send again. */
const PATIENCE_MS = 30_000
/** Backlog per second: 20 times the live rate, and at least this. */
const BACKLOG_FACTOR = 20
const LEAST_BACKLOG_PER_S = 200
const REFUSED = { firstMs: 1_000, maxMs: 30_000 }

/**
 * Sends what the outbox holds, in order, and sends again what got lost. A PUBACK only frees the window; a
 * reading leaves the outbox when the ledger lists it as committed. It is sent again
 * - from the first not spooled: after a reconnect, a refused publish, or 30 s without progress while the
 *   bridge is online;
 * - from the first not committed: when the bridge's instance changes;
 * - by itself: when the ledger shows later ones as spooled and not this one.
 */
export class Sender<T extends Numbered> {
  readonly #device: string
  readonly #topics: SenderTopics
  readonly #deps: SenderDeps<T>
  readonly #pacer: Pacer
  readonly #closing = new AbortController()
  readonly #acknowledged = new StreamSets()
  readonly #waiters = new Waiters()
  #link: SendingLink | undefined
  #ready = false
  #connections = 0
  #pumping = false
  #inFlight = 0
  #delivered = 0
  #committed = 0
  readonly #refusals = new Doubling()
  #pausedUntil = 0
  #bridgeOnline = false
  #instanceOfInfo: string | undefined
  #instanceOfLedger: string | undefined
  #progressAt: number
  #heardAt: number

  /** `device` is the key its ledger goes by. */
  constructor(device: string, topics: SenderTopics, liveIntervalMs: number, deps: SenderDeps<T>) {
    this.#device = device
    this.#topics = topics
    this.#deps = deps
    const now = deps.clock.monotonic()
    this.#progressAt = now
    this.#heardAt = now
    this.#pacer = new Pacer(backlogRate(liveIntervalMs), now)
    void this.#tickUntilClosed()
  }

  /** Readings are taken at another pace from now on. */
  liveAt(intervalMs: number): void {
    this.#pacer.rate = backlogRate(intervalMs)
  }

  /** Readings whose PUBACK came, each counted once. */
  get delivered(): number {
    return this.#delivered
  }

  get committed(): number {
    return this.#committed
  }

  get isConnected(): boolean {
    return this.#link !== undefined
  }

  /** A bridge is there, or was: it or the next one will say what is in the table. */
  get bridgeSeen(): boolean {
    return this.#bridgeOnline || this.#instanceOfInfo !== undefined || this.#instanceOfLedger !== undefined
  }

  /** With `takenAt` it is held back; see the outbox. */
  async submit(reading: T, takenAt?: BootTime): Promise<void> {
    const { outbox, clock } = this.#deps
    const now = clock.monotonic()
    // Silence and standstill count from when there is something to wait for.
    if (outbox.size === 0) this.#heardAt = now
    if (outbox.unspooled === 0) this.#progressAt = now
    await outbox.append(reading, takenAt)
    this.#pump()
  }

  /** The outbox has let readings go that it held back: standstill counts from now. */
  letGo(): void {
    this.#progressAt = this.#deps.clock.monotonic()
    this.#pump()
    this.#waiters.look()
  }

  async connected(link: SendingLink): Promise<void> {
    this.#link = link
    const connection = ++this.#connections
    await link.subscribe([this.#topics.bridgeAvailability, this.#topics.bridgeInfo, this.#topics.ledger(this.#device)])
    this.#heardAt = this.#deps.clock.monotonic()
    await this.#deps.clock.sleep(SETTLE_MS, this.#closing.signal).catch(() => undefined)
    if (this.#link === undefined || this.#connections !== connection) return
    this.#ready = true
    this.#again('unspooled', 'the connection is new')
  }

  disconnected(): void {
    this.#link = undefined
    this.#ready = false
    this.#bridgeOnline = false
  }

  async message({ topic, payload }: IncomingMessage): Promise<void> {
    if (topic === this.#topics.bridgeAvailability) this.#bridgeOnline = payload.toString() === 'online'
    else if (topic === this.#topics.bridgeInfo) this.#hearInfo(payload)
    else if (topic === this.#topics.ledger(this.#device)) {
      const ledger = parseLedger(payload)
      if (ledger) await this.#hearLedger(ledger)
    }
    const { outbox } = this.#deps
    if (this.bridgeSeen && !outbox.notes.bridge_seen) outbox.note({ bridge_seen: true })
  }

  /** Resolves when all is committed, or when the signal aborts. */
  drained(signal?: AbortSignal): Promise<void> {
    return this.#waiters.until(() => this.#deps.outbox.size === 0, signal)
  }

  /** Resolves when all has been sent and acknowledged by the broker, or when the signal aborts. */
  settled(signal?: AbortSignal): Promise<void> {
    return this.#waiters.until(() => this.#deps.outbox.unsent === 0 && this.#inFlight === 0, signal)
  }

  close(): void {
    this.#closing.abort()
    this.disconnected()
  }

  #hearInfo(payload: Buffer): void {
    const instance = instanceIn(payload)
    if (instance === undefined) return
    const changed = this.#instanceOfInfo !== undefined && this.#instanceOfInfo !== instance
    this.#instanceOfInfo = instance
    if (changed) this.#again('uncommitted', 'another bridge has taken over')
  }

  async #hearLedger(ledger: Ledger): Promise<void> {
    const { clock, events, outbox } = this.#deps
    const changed = this.#instanceOfLedger !== undefined && this.#instanceOfLedger !== ledger.instance
    this.#instanceOfLedger = ledger.instance
    this.#heardAt = clock.monotonic()
    const learned = await outbox.learn(StreamSets.from(ledger, 'spooled'), StreamSets.from(ledger, 'committed'))
    if (learned.released > 0 || learned.spooled > 0) this.#progressAt = this.#heardAt
    this.#committed += learned.released
    if (learned.released > 0) events.emit('readings:committed', learned.released)
    if (changed) this.#again('uncommitted', 'the ledger is that of another bridge')
    else this.#report(outbox.resendSkipped(), 'the ledger shows a gap')
    this.#waiters.look()
    this.#pump()
  }

  #again(to: 'unspooled' | 'uncommitted', reason: string): void {
    this.#progressAt = this.#deps.clock.monotonic()
    this.#report(this.#deps.outbox.rewind(to), reason)
    this.#pump()
  }

  #report(readings: number, reason: string): void {
    if (readings === 0) return
    this.#deps.log.info({ rows: readings, reason }, 'sending readings again')
    this.#deps.events.emit('readings:resent', readings, reason)
  }

  /** Sends while it may. There is one pump; it looks again after everything it waits for. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    void this.#sendWhileAllowed().catch((error: unknown) =>
      this.#deps.log.error({ err: error }, 'the outbox could not be read, trying again'),
    )
  }

  async #sendWhileAllowed(): Promise<void> {
    const { clock, outbox } = this.#deps
    try {
      while (this.#link && this.#ready && this.#inFlight < WINDOW && outbox.unsent > 0) {
        const now = clock.monotonic()
        const wait = Math.max(this.#pausedUntil - now, this.#pacer.waitMs(now))
        if (wait > 0) {
          await clock.sleep(wait, this.#closing.signal).catch(() => undefined)
          continue
        }
        const link = this.#link
        const readings = await outbox.take({ readings: MAX_READINGS_PER_MESSAGE, bytes: MAX_MESSAGE_BYTES })
        if (readings.length === 0) return
        this.#pacer.spend(readings.length)
        this.#inFlight++
        void this.#publish(link, readings)
      }
    } finally {
      // In the same turn as the last look, or a call of `#pump` between the two would be lost.
      this.#pumping = false
    }
  }

  async #publish(link: SendingLink, readings: readonly T[]): Promise<void> {
    try {
      await link.publish(this.#topics.readings(this.#device), (this.#deps.encode ?? encodeReadings)(readings))
      this.#refusals.reset()
      this.#acknowledge(readings)
    } catch (error) {
      // After a disconnect the next connection begins with all that is not spooled.
      if (!isDisconnect(error)) this.#refused(error)
    } finally {
      this.#inFlight--
      this.#waiters.look()
      this.#pump()
    }
  }

  #acknowledge(readings: readonly T[]): void {
    for (const { stream, seq } of readings) {
      if (this.#acknowledged.has(stream, seq)) continue
      this.#acknowledged.add(stream, seq)
      this.#delivered++
    }
    this.#deps.events.emit('readings:delivered', readings.length)
  }

  #refused(error: unknown): void {
    const { clock, log, random } = this.#deps
    const now = clock.monotonic()
    // The window holds several messages; the first one refused has set all of them back.
    if (now < this.#pausedUntil) return
    this.#refusals.when((attempt) =>
      log.warn({ attempt, reason: messageOf(error) }, 'the broker refuses readings, trying again'),
    )
    this.#pausedUntil = now + backoffMs(this.#refusals.times - 1, REFUSED, random)
    this.#again('unspooled', 'the broker refused a message')
  }

  async #tickUntilClosed(): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#closing.signal.aborted) {
      await clock.sleep(TICK_MS, this.#closing.signal).catch(() => undefined)
      await this.#tick().catch((error: unknown) =>
        log.debug({ reason: messageOf(error) }, 'the ledger could not be asked for'),
      )
    }
  }

  async #tick(): Promise<void> {
    const { clock, outbox } = this.#deps
    const link = this.#link
    if (!link || !this.#ready || outbox.size === 0) return
    this.#pump()
    const now = clock.monotonic()
    if (this.#bridgeOnline && now - this.#progressAt > PATIENCE_MS && outbox.unspooled > 0)
      this.#again('unspooled', 'no progress for 30 s')
    if (now - this.#heardAt > PATIENCE_MS) {
      this.#heardAt = now
      // A subscription to a retained topic fetches it, also where the last one sent to us was dropped.
      await link.subscribe([this.#topics.ledger(this.#device)])
    }
  }
}

function isDisconnect(error: unknown): boolean {
  return error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED'
}

/** Readings per second. */
function backlogRate(liveIntervalMs: number): number {
  return Math.max(LEAST_BACKLOG_PER_S, (BACKLOG_FACTOR * 1000) / liveIntervalMs)
}
