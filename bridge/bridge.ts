import type { Clock } from '../src/clock.ts'
import { SnowhatError } from '../src/errors.ts'
import { Events } from '../src/events.ts'
import type { Ledger } from '../src/ledger.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import type { Log } from '../src/log.ts'
import { type MqttLink, openMqttLink } from '../src/mqtt-link.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import { createTopics, type Topics } from '../src/topics.ts'
import { within } from '../src/within.ts'
import { BackPressure } from './back-pressure.ts'
import type { BridgeSettings } from './config.ts'
import { type DeadLetters, MemoryDeadLetters } from './dead-letters.ts'
import type { BridgeEventMap, BridgeEvents } from './events.ts'
import { Intake } from './intake.ts'
import { Lanes } from './lanes/lanes.ts'
import { gapsOf } from './ledger/ledger-of.ts'
import { LedgerPublisher } from './ledger/ledger-publisher.ts'
import { openRetainedLedgers, type RetainedLedgers } from './ledger/retained-ledgers.ts'
import { Presence } from './presence.ts'
import type { Route } from './route.ts'
import { senseHatRoute } from './sense-hat-route.ts'
import { resolveSnowflake } from './snowflake-target.ts'
import { connectSnowpipe, type Snowpipe } from './snowpipe/client.ts'
import { createIdentity, type Identity } from './snowpipe/credentials.ts'
import { openSpool } from './spool/open-spool.ts'
import type { Spool } from './spool/spool.ts'
import { type StatusSource, serveStatus } from './status/server.ts'
import { statusSource } from './status/source.ts'

export interface BridgeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

export interface BridgeTotals {
  readonly received: number
  readonly redelivered: number
  /** Rows this process has seen committed. */
  readonly committed: number
  readonly rejected: number
  /** Readings missing and not declared. */
  readonly missing: number
  readonly deadLetters: number
  readonly waiting: number
}

export interface Bridge {
  readonly instance: string
  /** Where the rows go. */
  readonly target: string
  readonly httpPort: number
  readonly events: BridgeEvents
  readonly deadLetters: DeadLetters
  totals(): BridgeTotals
  ledger(hostname: string): Ledger | undefined
  /** Sends and commits all that is spooled; false when the deadline passed first. */
  drain(deadlineMs: number): Promise<boolean>
  /** Rejects when it must not go on: another bridge has taken over, or its disk has failed. Never resolves. */
  readonly ended: Promise<never>
  /** Drains, then lets go of everything. */
  close(): Promise<void>
}

/** Messages that wait for their group's sync; the bytes bound what they take in memory. */
const UNACKNOWLEDGED = { messages: 1_000, bytes: 8 * 1024 * 1024 }
/** How often a lane looks whether the broker can be asked for a predecessor's ledger. */
const LEDGER_READ_RETRY_MS = 1_000
/** How long the broker may take for what is said last. */
const GOODBYE_MS = 2_000

/** Starts in the order of dependence; that the broker or Snowflake is away is no reason not to. */
export async function startBridge(settings: BridgeSettings, mqtt: MqttSettings, deps: BridgeDeps): Promise<Bridge> {
  const snowflake = resolveSnowflake(settings.snowflake)
  const identity = createIdentity(snowflake, deps.clock)
  const topics = createTopics(mqtt.base_topic, mqtt.discovery_prefix)
  const spool = await openSpool(settings.spool, deps)
  const bridge = new RunningBridge({ ...settings, snowflake }, topics, identity, spool, deps)
  try {
    await bridge.start(mqtt)
  } catch (error) {
    await bridge.abandon()
    throw error
  }
  return bridge
}

class RunningBridge implements Bridge {
  readonly events: BridgeEvents
  readonly deadLetters = new MemoryDeadLetters()
  readonly ended: Promise<never>
  readonly #settings: BridgeSettings
  readonly #topics: Topics
  readonly #deps: BridgeDeps
  readonly #life = new Lifecycle()
  readonly #spool: Spool
  readonly #snowpipe: Snowpipe
  readonly #ledgers: LedgerPublisher
  readonly #lanes: Lanes
  readonly #route: Route
  readonly #intake: Intake
  readonly #pressure: BackPressure
  readonly #presence: Presence
  #retained: RetainedLedgers | undefined
  #link: MqttLink | undefined
  #http: { port: number } = { port: 0 }
  #committed = 0
  #stopping = false
  #leaving = false
  #fail: (reason: unknown) => void = () => undefined

  constructor(settings: BridgeSettings, topics: Topics, identity: Identity, spool: Spool, deps: BridgeDeps) {
    const { clock, log } = deps
    this.#settings = settings
    this.#topics = topics
    this.#deps = deps
    this.events = new Events<BridgeEventMap>(log)
    this.events.on('rows:committed', (_device, rows) => {
      this.#committed += rows
    })
    this.ended = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    spool.failed.catch((error: unknown) => this.#fail(error))
    // Who starts a bridge in a test may not care; the command does.
    this.ended.catch(() => undefined)
    this.#snowpipe = connectSnowpipe(settings.snowflake, { clock, identity })
    this.#spool = spool
    spool.onLoaded = (device) => this.#lanes.wake(device)
    this.#pressure = new BackPressure(this.#spool, settings.spool.max_bytes, log, () => this.#link?.restart())
    const { events } = this
    this.#ledgers = new LedgerPublisher({
      clock,
      log,
      events,
      spool,
      topics,
      publish: (topic, payload) => this.#live().publish(topic, payload, { retain: true }),
      retainedLedger: (hostname, signal) => this.#readLedger(hostname, signal),
      onAnnounced: (device) => this.#lanes.wake(device),
    })
    this.#lanes = new Lanes(settings, {
      ...deps,
      events,
      spool,
      snowpipe: this.#snowpipe,
      ledgers: this.#ledgers,
      retainedLedger: (hostname, signal) => this.#readLedger(hostname, signal),
      onTrimmed: () => this.#pressure.eased(),
      onRenewed: () => this.#link?.restart(),
      onRival: (reason) => this.#standDown(reason),
      onRefusedRow: (device, row, reason) => {
        this.deadLetters.add({
          device: device.hostname,
          topic: topics.readings(device.hostname),
          code: 'refused_by_snowflake',
          reason,
          payload: row.json,
          at: clock.now(),
        })
        events.emit('reading:refused', device.hostname, 'refused_by_snowflake', reason)
      },
    })
    this.#route = senseHatRoute(topics)
    this.#intake = new Intake(this.#route, {
      clock,
      log,
      events,
      spool,
      deadLetters: this.deadLetters,
      onChange: (device) => {
        this.#ledgers.touch(device)
        this.#lanes.wake(device)
      },
    })
    this.#presence = new Presence({
      log,
      topics,
      spool,
      startedAt: clock.now(),
      onRival: (reason) => this.#standDown(reason),
    })
  }

  get instance(): string {
    return this.#spool.instance
  }

  get target(): string {
    const { snowflake } = this.#settings
    return snowflake.url !== '' ? snowflake.url : snowflake.account
  }

  get httpPort(): number {
    return this.#http.port
  }

  async start(mqtt: MqttSettings): Promise<void> {
    const life = this.#life
    const clientId = this.#settings.bridge.client_id
    life.own('spool', this.#spool, (spool) => spool.close())
    this.#http = life.own('status', await serveStatus(this.#settings.http, this.#status()), (http) => http.close())
    this.#retained = life.own('retained', await openRetainedLedgers(mqtt, this.#topics, clientId, this.#deps), (r) =>
      r.close(),
    )
    this.#link = life.own('mqtt', await this.#connect(mqtt, clientId), (link) => link.close())
    life.own('ledgers', this.#ledgers, (ledgers) => ledgers.close())
    life.own('lanes', this.#lanes, (lanes) => lanes.close())
    // Closed first: a call that is not answered would keep its lane for a minute.
    life.own('snowpipe', this.#snowpipe, (snowpipe) => snowpipe.close())
  }

  #status(): StatusSource {
    return statusSource({
      target: this.target,
      connected: () => this.#link?.connected ?? false,
      stopping: () => this.#stopping || this.#leaving,
      spool: this.#spool,
      lanes: this.#lanes,
      ledgers: this.#ledgers,
      pressure: this.#pressure,
      deadLetters: this.deadLetters,
    })
  }

  /** After a start that failed half-way. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#snowpipe.close(), this.#lanes.close(), this.#ledgers.close(), this.#life.close()])
  }

  totals(): BridgeTotals {
    const totals = { received: 0, redelivered: 0, rejected: 0, missing: 0, waiting: 0 }
    for (const device of this.#spool.devices()) {
      totals.received += device.counters.received
      totals.redelivered += device.counters.redelivered
      totals.rejected += device.counters.rejected
      totals.missing += gapsOf(device).undeclared_gaps
      totals.waiting += device.waiting
    }
    return { ...totals, committed: this.#committed, deadLetters: this.deadLetters.total }
  }

  ledger(hostname: string): Ledger | undefined {
    for (const device of this.#spool.devices()) if (device.hostname === hostname) return this.#ledgers.current(device)
    return undefined
  }

  async drain(deadlineMs: number): Promise<boolean> {
    const done = await this.#lanes.drain(deadlineMs)
    // A broker that does not acknowledge must not hold up the end.
    await within(GOODBYE_MS, this.#deps.clock, () => this.#ledgers.flush())
    return done
  }

  async close(): Promise<void> {
    this.#stopping = true
    // From here on nothing is acknowledged: the broker keeps it for the next start. Not unsubscribed, because
    // that would throw the session's queue away. Beside another bridge nothing is said or sent any more.
    if (!this.#leaving) await this.#sayGoodbye()
    await this.#life.close()
  }

  async #sayGoodbye(): Promise<void> {
    const { clock, log } = this.#deps
    if (!(await this.drain(this.#settings.bridge.drain)))
      log.warn({ rows: this.totals().waiting }, 'stopping with rows not committed; they come again with the next start')
    await within(GOODBYE_MS, clock, async () => {
      await this.#link?.publish(this.#topics.bridgeAvailability, 'offline', { retain: true }).catch(() => undefined)
    })
  }

  /** Another bridge has the channels: every word of ours from here on would lie over its words. */
  #standDown(reason: string): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#ledgers.disconnected()
    void this.#lanes.close()
    this.#fail(
      new SnowhatError('E_RIVAL', reason, { hint: 'one bridge per broker: stop the other one, or leave this one off' }),
    )
  }

  #connect(mqtt: MqttSettings, clientId: string): Promise<MqttLink> {
    const topics = this.#topics
    const presence = this.#presence
    const route = this.#route
    return openMqttLink(
      mqtt,
      {
        clientId,
        persistentSession: true,
        unacknowledged: UNACKNOWLEDGED,
        will: { topic: topics.bridgeAvailability, payload: 'offline' },
        onMessage: (message) => {
          // Our own marker of a connection that broke comes again in the session.
          if (presence.take(message) || !route.matches(message.topic)) return undefined
          if (this.#stopping || this.#leaving)
            throw new SnowhatError('E_SHUTDOWN', 'stopping: the broker keeps this message')
          return this.#pressure.guard(() => this.#intake.accept(message))
        },
        onConnect: async () => {
          const link = this.#live()
          // What the last bridge left is read before this one speaks.
          await link.subscribe(presence.filters())
          await link.roundTrip(topics.response('connect'))
          await presence.speak(link)
          this.#ledgers.connected()
          await link.subscribe([route.filter])
          this.#deps.log.info({ url: mqtt.url, instance: this.instance }, 'connected to the broker')
        },
        onDisconnect: () => this.#ledgers.disconnected(),
      },
      this.#deps,
    )
  }

  #live(): MqttLink {
    if (this.#link === undefined)
      throw new SnowhatError('E_MQTT_DISCONNECTED', 'not connected yet', { retryable: true })
    return this.#link
  }

  /** The device's retained ledger, however long the broker takes to be there. */
  async #readLedger(hostname: string, signal: AbortSignal): Promise<Ledger | null> {
    for (;;) {
      try {
        if (this.#retained !== undefined) return await this.#retained.read(hostname)
      } catch (error) {
        if (error instanceof SnowhatError && error.code === 'E_LEDGER_UNREADABLE') throw error
        this.#deps.log.debug({ err: error, device: hostname }, 'cannot read the retained ledger yet')
      }
      await this.#deps.clock.sleep(LEDGER_READ_RETRY_MS, signal)
    }
  }
}
