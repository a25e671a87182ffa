import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import mqttPacket from 'mqtt-packet'
import type { Clock } from './clock.ts'
import { DeferredAcks, type UnacknowledgedLimit } from './deferred-acks.ts'
import { type ErrorCode, SnowhatError } from './errors.ts'
import type { Log } from './log.ts'
import { randomId } from './random-id.ts'
import { within } from './within.ts'

export interface IncomingMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly retain: boolean
  /** The broker says it may have sent this before. */
  readonly duplicate: boolean
}

export interface Session {
  readonly resumed: boolean
  /** Aborts when this connection has ended: who waits for anything else in `onConnect` must stop waiting then. */
  readonly ended: AbortSignal
}

export interface LinkOptions {
  readonly clientId: string
  /** True: the broker keeps subscriptions and undelivered messages while we are away. */
  readonly persistentSession?: boolean
  readonly will?: { readonly topic: string; readonly payload: string }
  /**
   * Called in the order of the messages. The PUBACK leaves when it resolves and those before it have left, and not at all
   * when it rejects: the broker sends the message again on the next connection.
   */
  readonly onMessage?: (message: IncomingMessage) => void | Promise<void>
  /** How many messages `onMessage` may have under way; one at a time by default. */
  readonly unacknowledged?: UnacknowledgedLimit
  /** After every CONNACK. A rejection ends this connection and another attempt follows. */
  readonly onConnect?: (session: Session) => void | Promise<void>
  /** After every attempt that has ended, with what ended it. */
  readonly onDisconnect?: (error?: unknown) => void
}

const ONE_AT_A_TIME: UnacknowledgedLimit = { messages: 1, bytes: Number.POSITIVE_INFINITY }
/** In silence, and in all. */
const ROUND_TRIP_TIMEOUT_MS = 10_000
const LONGEST_ROUND_TRIP_MS = 300_000
const GOODBYE_TIMEOUT_MS = 2_000
/**
 * Unacknowledged messages we send. Brokers announce their own bound in MQTT 5 (Mosquitto: 20) and the library
 * does not heed it [observed]; in 3.1.1 there is none to hear.
 */
const SEND_WINDOW = 20
const LARGEST_SEND_WINDOW = 200
/**
 * The answer to a ping comes behind all messages that the broker has written already [observed, Mosquitto 2.0.11 with a
 * long queue], and the library takes nothing else for a sign of life. Every so many messages it is told.
 */
const SIGN_OF_LIFE_EVERY = 1_000
/** What the library's own callers hear when a connection ends under them; some of them before we do [observed]. */
const LIBRARY_CLOSED = 'Connection closed'

const TAKEN = Promise.resolve()

/** How a connection went. */
export interface EndedConnection {
  /** The broker has said anything at all. */
  readonly answered: boolean
  /** It has accepted the connection. */
  readonly accepted: boolean
  /** Everything was set up on it. */
  readonly ready: boolean
  readonly error: unknown
}

/** Reasons for not taking a message that are told elsewhere, once. */
const QUIET: ReadonlySet<ErrorCode> = new Set(['E_SHUTDOWN', 'E_SPOOL_FULL'])

/** One connection, from TCP to its end. */
export class Connection {
  readonly client: MqttClient
  up = false
  readonly #options: LinkOptions
  readonly #log: Log
  readonly #pending = new Set<(error: Error) => void>()
  #slots = SEND_WINDOW
  readonly #waiting: (() => void)[] = []
  /** Markers under way, by payload. */
  readonly #markers = new Map<string, () => void>()
  readonly #markerTopics = new Set<string>()
  readonly #ended = new AbortController()
  #answered = false
  #accepted = false
  #ready = false
  #error: unknown
  /** Messages so far; while they come the broker is alive, however far behind it its own word is. */
  #heard = 0

  constructor(base: IClientOptions, url: string, options: LinkOptions, log: Log) {
    this.#options = options
    this.#log = log
    // Its first packet would make a Buffer of every number of two bytes: 15 MB for good [observed, mqtt-packet 9.0.2].
    mqttPacket.writeToStream.cacheNumbers = false
    this.client = mqtt.connect(url, base)
    const acks = new DeferredAcks(this.client, options.unacknowledged ?? ONE_AT_A_TIME)
    this.client.handleMessage = (packet, done) => {
      if (++this.#heard % SIGN_OF_LIFE_EVERY === 0) this.client.reschedulePing(true)
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      const taken = this.#take({ topic: packet.topic, payload, retain: packet.retain, duplicate: packet.dup })
      const refused = (error: unknown) => this.#tellRefused(error, packet.topic)
      if (packet.qos > 0) acks.add(payload.length, taken, refused)
      else taken.catch(refused)
      done()
    }
  }

  #tellRefused(error: unknown, topic: string): void {
    if (!(error instanceof SnowhatError && QUIET.has(error.code)))
      this.#log.error({ err: error, topic }, 'a message was not taken and is not acknowledged')
  }

  /** A handler which throws at once rejects like any other. */
  #take(message: IncomingMessage): Promise<void> {
    if (this.#markerTopics.has(message.topic)) {
      this.#markers.get(message.payload.toString())?.()
      return TAKEN
    }
    try {
      return this.#options.onMessage?.(message) ?? TAKEN
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Resolves when the connection has ended, for whatever reason. */
  run(): Promise<EndedConnection> {
    return new Promise((resolve) => {
      this.client.on('packetreceive', () => {
        this.#answered = true
      })
      this.client.on('connect', (connack) => {
        this.up = true
        this.#accepted = true
        this.#slots = Math.min(LARGEST_SEND_WINDOW, connack.properties?.receiveMaximum ?? SEND_WINDOW)
        void this.#setUp(connack.sessionPresent)
      })
      this.client.on('error', (error) => {
        this.#error = error
      })
      this.client.on('close', () => {
        this.up = false
        this.client.end(true)
        this.#ended.abort(disconnected())
        for (const reject of this.#pending) reject(disconnected())
        this.#pending.clear()
        for (const wake of this.#waiting.splice(0)) wake()
        resolve({ answered: this.#answered, accepted: this.#accepted, ready: this.#ready, error: this.#error })
      })
      this.client.connect()
    })
  }

  /** A connection on which we may not do what we must is as good as none: it ends, and the next one waits longer. */
  async #setUp(resumed: boolean): Promise<void> {
    try {
      await this.#options.onConnect?.({ resumed, ended: this.#ended.signal })
      this.#ready = true
    } catch (error) {
      if (!this.up) return
      this.#error = error
      this.client.end(true)
    }
  }

  async publish(topic: string, payload: string | Buffer, retain: boolean): Promise<void> {
    if (this.#slots > 0) this.#slots--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (!this.up) throw disconnected()
    try {
      await this.#tracked((done) => this.client.publish(topic, payload, { qos: 1, retain }, done))
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#slots++
    }
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    await this.#tracked((done) =>
      this.client.subscribe([...filters], { qos: 1 }, (error, _granted, suback) => {
        // The library's own error names neither the topic nor a code of ours.
        const refused = suback?.granted.findIndex((code) => typeof code === 'number' && code >= 128) ?? -1
        done(
          refused >= 0
            ? new SnowhatError('E_MQTT_REFUSED', `the broker refuses a subscription to ${filters[refused]}`)
            : error,
        )
      }),
    )
  }

  async roundTrip(topic: string, clock: Clock): Promise<void> {
    if (!this.#markerTopics.has(topic)) {
      await this.subscribe([topic])
      this.#markerTopics.add(topic)
    }
    const marker = randomId(16)
    const stop = new AbortController()
    const back = new Promise<void>((resolve, reject) => {
      this.#markers.set(marker, resolve)
      this.#pending.add(reject)
      this.#silence(clock, stop.signal).then(
        () => reject(new SnowhatError('E_MQTT_REFUSED', `the broker does not bring back what is sent to ${topic}`)),
        () => undefined,
      )
      stop.signal.addEventListener('abort', () => this.#pending.delete(reject))
    })
    try {
      await Promise.all([back, this.publish(topic, marker, false)])
    } finally {
      this.#markers.delete(marker)
      stop.abort()
    }
  }

  /** Resolves when a round trip takes too long. Before its marker come all messages of a queue: meanwhile it may take long. */
  async #silence(clock: Clock, signal: AbortSignal): Promise<void> {
    let before = -1
    for (let waited = 0; before < this.#heard && waited < LONGEST_ROUND_TRIP_MS; waited += ROUND_TRIP_TIMEOUT_MS) {
      before = this.#heard
      await clock.sleep(ROUND_TRIP_TIMEOUT_MS, signal)
    }
  }

  drop(): void {
    this.client.end(true)
  }

  /** Bounded: the library waits for acknowledgements that a frozen broker never sends [observed]. */
  async end(clock: Clock): Promise<void> {
    if (this.up) await within(GOODBYE_TIMEOUT_MS, clock, () => this.client.endAsync())
    this.client.end(true)
    // While a polite end is under way the library ignores a forced one [observed].
    this.client.stream?.destroy()
  }

  #tracked(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      act((error) => {
        this.#pending.delete(reject)
        if (error) reject(!this.up || error.message === LIBRARY_CLOSED ? disconnected() : error)
        else resolve()
      })
    })
  }
}

export function disconnected(): SnowhatError {
  return new SnowhatError('E_MQTT_DISCONNECTED', 'not connected to the MQTT broker', { retryable: true })
}
