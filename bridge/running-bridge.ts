import { hostname as machine } from 'node:os'
import type { BridgeInfo } from '../src/bridge-info.ts'
import { SnowhatError } from '../src/errors.ts'
import { Events } from '../src/events.ts'
import type { Ledger } from '../src/ledger.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import type { LinkOptions } from '../src/mqtt-link.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import type { Wellbeing } from '../src/notify.ts'
import { createTopics, type Topics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import { within } from '../src/within.ts'
import { answersOf } from './answers.ts'
import { BackPressure } from './back-pressure.ts'
import type { Bridge, BridgeDeps, BridgeTotals, StartOptions } from './bridge.ts'
import type { BridgeSettings } from './config.ts'
import { Connections } from './connections.ts'
import type { DeadLetters } from './dead-letters/dead-letters.ts'
import { keepRefusedRow } from './dead-letters/refused-row.ts'
import type { BridgeEventMap, BridgeEvents } from './events.ts'
import { Guard } from './guard.ts'
import { Intake } from './intake.ts'
import { Lanes } from './lanes/lanes.ts'
import { LedgerPublisher } from './ledger/ledger-publisher.ts'
import { RetainedLedgers } from './ledger/retained-ledgers.ts'
import { lookForRival } from './look-for-rival.ts'
import { mainConnection } from './main-connection.ts'
import { SnowflakeCalls } from './metrics/snowflake-calls.ts'
import { Presence } from './presence.ts'
import type { Routes } from './routes/routes.ts'
import { SideConnection } from './side-connection.ts'
import { connectSnowpipe, type Snowpipe } from './snowpipe/client.ts'
import type { Identity } from './snowpipe/credentials.ts'
import { Reach } from './snowpipe/reach.ts'
import type { Spool } from './spool/spool.ts'
import { Progress } from './status/progress.ts'
import { type Rate, rateOfCommits } from './status/rate.ts'
import { serveStatus } from './status/server.ts'
import { type StatusSource, statusSource } from './status/source.ts'
import type { TodayKeeper } from './status/today-keeper.ts'
import type { Stores } from './stores.ts'
import { totalsOf } from './totals.ts'
import { wellbeingOf } from './wellbeing.ts'

/** Nobody waits for a PUBACK but a queue, and a disk that is synced 50 times a second has more to do than its rows need. */
const LINGER_MS = 20
/** How long the broker may take for what is said last. */
const GOODBYE_MS = 2_000

/** What is made before a bridge is. */
export interface BridgeParts extends Stores {
  readonly identity: Identity
  readonly routes: Routes
}

/** The parts of a bridge, and how they are joined. */
export class RunningBridge implements Bridge {
  readonly events: BridgeEvents
  readonly deadLetters: DeadLetters
  readonly ended: Promise<never>
  readonly #settings: BridgeSettings
  readonly #topics: Topics
  readonly #deps: BridgeDeps
  readonly #life = new Lifecycle()
  readonly #spool: Spool
  readonly #snowpipe: Snowpipe
  readonly #ledgers: LedgerPublisher
  readonly #lanes: Lanes
  readonly #routes: Routes
  readonly #intake: Intake
  readonly #pressure: BackPressure
  readonly #presence: Presence
  readonly #status: StatusSource
  readonly #retained: RetainedLedgers
  readonly #side: SideConnection
  readonly #today: TodayKeeper
  readonly #rate: Rate
  readonly #info: () => BridgeInfo
  readonly #connections: Connections
  /** Since when the broker is away, on the monotonic clock. */
  #awaySince: number | undefined
  /** When the broker came or went last, epoch milliseconds. */
  #brokerSince: number
  #refused: SnowhatError | undefined
  #http: { port: number } = { port: 0 }
  #stopping = false
  #leaving = false
  #fail: (reason: unknown) => void = () => undefined

  constructor(
    settings: BridgeSettings,
    mqtt: MqttSettings,
    { identity, routes, spool, deadLetters, today }: BridgeParts,
    deps: BridgeDeps,
    options: StartOptions,
  ) {
    const topics = createTopics(mqtt.base_topic, mqtt.discovery_prefix)
    const { clock, log } = deps
    this.deadLetters = deadLetters
    this.#settings = settings
    this.#topics = topics
    this.#deps = deps
    this.events = new Events<BridgeEventMap>(log)
    this.#rate = rateOfCommits(this.events, clock)
    this.ended = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    spool.failed.catch((error: unknown) => this.#fail(error))
    // Who starts a bridge in a test may not care; the command does.
    this.ended.catch(() => undefined)
    const reach = new Reach(clock)
    const calls = new SnowflakeCalls(clock)
    this.#snowpipe = calls.watch(
      reach.watch(connectSnowpipe(settings.snowflake, { clock, identity: calls.watchIdentity(identity) })),
    )
    this.#spool = spool
    this.#today = today
    today.watch(spool, this.events)
    spool.onLoaded = (device) => this.#lanes.wake(device)
    const startedAt = new Date(clock.now()).toISOString()
    this.#info = () => ({ instance: spool.instance, version: VERSION, host: machine(), started_at: startedAt })
    this.#awaySince = clock.monotonic()
    this.#brokerSince = clock.now()
    this.#pressure = new BackPressure({
      clock,
      log,
      spool,
      maxBytes: settings.spool.max_bytes,
      resume: () => this.#connections.restart(),
    })
    const { events } = this
    this.#ledgers = new LedgerPublisher({
      clock,
      log,
      events,
      spool,
      topics,
      publish: (topic, payload) => this.#connections.main.publish(topic, payload, { retain: true }),
      retainedLedger: (hostname, signal) => this.#retained.read(hostname, signal),
      budget: today.budgetOf,
      onAnnounced: (device) => this.#lanes.wake(device),
    })
    today.onWarned = (hostname) => {
      const device = spool.known(hostname)
      if (device !== undefined) this.#ledgers.touch(device)
    }
    this.#routes = routes
    this.#lanes = new Lanes(settings, {
      ...deps,
      routes: this.#routes,
      events,
      spool,
      snowpipe: this.#snowpipe,
      ledgers: this.#ledgers,
      retainedLedger: (hostname, signal) => this.#retained.read(hostname, signal),
      lookForRival: () => lookForRival({ clock, log, retained: this.#retained, presence: this.#presence }),
      onTrimmed: () => this.#pressure.eased(),
      onRenewed: () => this.#connections.restart(),
      onRival: (reason) => this.#standDown(reason),
      onRefusedRow: (...refused) => keepRefusedRow({ clock, deadLetters, events, topics }, ...refused),
    })
    this.#intake = new Intake(this.#routes, {
      clock,
      log,
      events,
      spool,
      deadLetters: this.deadLetters,
      lingerMs: LINGER_MS,
      onChange: (device) => {
        this.#ledgers.touch(device)
        this.#lanes.wake(device)
      },
    })
    this.#presence = new Presence({
      log,
      topics,
      spool,
      info: this.#info,
      standsDown: settings.bridge.guard,
      onRival: (reason) => this.#standDown(reason),
    })
    this.#retained = new RetainedLedgers(topics, () => this.#connections.side, deps)
    this.#status = this.#statusSource(reach, calls, identity, mqtt.url)
    this.#side = new SideConnection({
      ...deps,
      topics,
      settings,
      spool,
      retained: this.#retained,
      status: this.#status,
      link: () => this.#connections.side,
      speaking: () => !this.#leaving,
      credentialExpires: identity.expiresAt !== null,
      // Its pause may end after our last word, and nothing may lie over that.
      onBirth: () => {
        if (!this.#isEnding) void this.#sayAvailability('online')
      },
      answers: answersOf({
        clock,
        spool,
        lanes: this.#lanes,
        ledgers: this.#ledgers,
        status: this.#status,
        info: this.#info,
        stopping: () => this.#isEnding,
      }),
    })
    this.#connections = new Connections(mqtt, this.#mainOptions(mqtt.url), {
      ...deps,
      spool,
      topics,
      presence: this.#presence,
      guard: settings.bridge.guard ? new Guard({ clock, log, topics }) : undefined,
      takeOver: options.takeOver ?? false,
      info: this.#info,
      side: this.#side,
      onRefused: (reason) => this.#refuse(reason),
    })
  }

  get #isEnding(): boolean {
    return this.#stopping || this.#leaving
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

  async start(): Promise<void> {
    const life = this.#life
    life.own('spool', this.#spool, (spool) => spool.close())
    life.own('today', this.#today, (today) => today.close())
    life.own('dead letters', this.deadLetters, (letters) => letters.close())
    life.own('mqtt', this.#connections, (connections) => connections.close())
    life.own('side', this.#side, (side) => side.close())
    await this.#connections.look()
    if (this.#refused !== undefined) throw this.#refused
    this.#http = life.own('status', await serveStatus(this.#settings.http, this.#status, this.#deps.log), (http) =>
      http.close(),
    )
    await this.#connections.speak()
    life.own('ledgers', this.#ledgers, (ledgers) => ledgers.close())
    life.own('lanes', this.#lanes, (lanes) => lanes.close())
    // Closed first: a call that is not answered would keep its lane for a minute.
    life.own('snowpipe', this.#snowpipe, (snowpipe) => snowpipe.close())
    // What an earlier process left waits for no new reading: its Pi may be gone, and a full spool takes none.
    for (const device of this.#spool.devices()) this.#lanes.wake(device)
  }

  #statusSource(reach: Reach, calls: SnowflakeCalls, identity: Identity, brokerUrl: string): StatusSource {
    const { clock } = this.#deps
    const { batch, bridge, cost, http, spool } = this.#settings
    return statusSource({
      ...this.#deps,
      target: this.target,
      info: this.#info,
      progress: new Progress(this.events, this.#spool, clock),
      rate: this.#rate,
      today: this.#today.today,
      gaps: this.#today.gaps,
      reach,
      calls,
      spoolMaxBytes: spool.max_bytes,
      mostDevices: http.metrics_devices,
      cost,
      identity,
      // Rows may wait for their batch as long as the settings say.
      stalledAfter: bridge.stalled_after + batch.max_age_ms,
      brokerAway: () => (this.#awaySince === undefined ? 0 : clock.monotonic() - this.#awaySince),
      brokerUrl,
      brokerSince: () => this.#brokerSince,
      beside: () => this.#presence.beside,
      connected: () => this.#connections.connected,
      stopping: () => this.#isEnding,
      events: this.events,
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
    return { ...totalsOf(this.#spool), committed: this.#rate.total, deadLetters: this.deadLetters.total }
  }

  wellbeing(): Wellbeing {
    return wellbeingOf(this.#spool, this.#connections.connected)
  }

  ledger(hostname: string): Ledger | undefined {
    const device = this.#spool.known(hostname)
    return device && this.#ledgers.current(device)
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
    this.#pressure.close()
    // A letter that waits for room on the disk must not hold up the end; its message is not acknowledged.
    await this.deadLetters.close()
    await this.#life.close()
  }

  async #sayGoodbye(): Promise<void> {
    const { clock, log } = this.#deps
    if (!(await this.drain(this.#settings.bridge.drain)))
      log.warn({ rows: this.totals().waiting }, 'stopping with rows not committed; they come again with the next start')
    await within(GOODBYE_MS, clock, () => this.#sayAvailability('offline'))
  }

  /** Where the session is: nobody else knows whether it lives. */
  async #sayAvailability(word: 'online' | 'offline'): Promise<void> {
    if (!this.#connections.connected) return
    await this.#connections.main.publish(this.#topics.bridgeAvailability, word, { retain: true }).catch(() => undefined)
  }

  /** Another bridge has the channels: every word of ours from here on would lie over its words. */
  #standDown(reason: string): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#ledgers.disconnected()
    this.#side.close()
    void this.#lanes.close()
    // Trying to come back would throw the other one off the broker: they share the client id.
    void this.#connections.closeMain()
    this.#fail(
      new SnowhatError('E_RIVAL', reason, { hint: 'one bridge per broker: stop the other one, or leave this one off' }),
    )
  }

  /** A living bridge was found before this one has said or sent anything. */
  #refuse(reason: SnowhatError): void {
    this.#refused = reason
    this.#leaving = true
    this.#fail(reason)
  }

  #mainOptions(url: string): LinkOptions {
    const { clock, log } = this.#deps
    return mainConnection({
      clientId: this.#settings.bridge.client_id,
      log,
      topics: this.#topics,
      presence: this.#presence,
      routes: this.#routes,
      ledgers: this.#ledgers,
      link: () => this.#connections.main,
      retained: (filters, signal) => this.#retained.messages(filters, signal),
      accept: (message) => {
        if (this.#isEnding) throw new SnowhatError('E_SHUTDOWN', 'stopping: the broker keeps this message')
        return this.#pressure.guard(() => this.#intake.accept(message))
      },
      onReady: () => {
        if (this.#awaySince !== undefined) this.#brokerSince = clock.now()
        this.#awaySince = undefined
        this.events.emit('broker:connected')
        this.#side.speak()
        log.info({ url, instance: this.instance }, 'connected to the broker')
      },
      onLost: () => {
        if (this.#awaySince !== undefined) return
        this.#awaySince = clock.monotonic()
        this.#brokerSince = clock.now()
      },
    })
  }
}
