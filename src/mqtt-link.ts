import { readFile } from 'node:fs/promises'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { messageOf, SnowhatError } from './errors.ts'
import type { Log } from './log.ts'
import type { MqttSettings } from './mqtt-section.ts'

/**
 * A connection to the broker that comes back by itself.
 *
 * The MQTT library is used for one connection at a time and thrown away with it: it stops for ever after a
 * refusing CONNACK, reconnects without jitter, and would send again from a store of its own, while here the
 * outbox and the broker's session are the only retries [observed, MQTT.js 5.16.0]. So each attempt gets a
 * fresh client, and what was not acknowledged when a connection ends is rejected to its caller.
 */
export interface MqttLink {
  readonly connected: boolean
  /** Resolves with the broker's PUBACK. Rejects with `E_MQTT_DISCONNECTED` when that did not come on this connection. */
  publish(topic: string, payload: string | Buffer, options?: { retain?: boolean }): Promise<void>
  /** QoS 1. Rejects when the broker refuses one of the filters. */
  subscribe(filters: readonly string[]): Promise<void>
  unsubscribe(filters: readonly string[]): Promise<void>
  /** Disconnects cleanly, so the broker does not publish the Will. `publish` before it what should be seen last. */
  close(): Promise<void>
}

export interface IncomingMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly retain: boolean
  /** The broker says it may have sent this before. */
  readonly duplicate: boolean
}

export interface LinkOptions {
  readonly clientId: string
  /** True: the broker keeps subscriptions and undelivered messages while we are away. */
  readonly persistentSession?: boolean
  readonly will?: { readonly topic: string; readonly payload: string }
  /** Called for one message at a time; the PUBACK leaves when it resolves, and not at all when it rejects. */
  readonly onMessage?: (message: IncomingMessage) => void | Promise<void>
  /** After every CONNACK. A rejection ends this connection and another attempt follows. */
  readonly onConnect?: (session: { readonly resumed: boolean }) => void | Promise<void>
  readonly onDisconnect?: () => void
}

export interface LinkDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

const RECONNECT = { firstMs: 1_000, maxMs: 60_000 }
const CONNECT_TIMEOUT_MS = 10_000
/** What the broker keeps for us when we are away: a week [our choice; must cover the longest outage]. */
const SESSION_EXPIRY_S = 7 * 86_400
/** Unacknowledged messages we accept, our back-pressure towards an MQTT 5 broker. */
const RECEIVE_MAXIMUM = 500
/**
 * Unacknowledged messages we send. Brokers announce their own bound in MQTT 5 (Mosquitto: 20) and the library
 * does not heed it [observed]; in 3.1.1 there is none to hear.
 */
const SEND_WINDOW = 20

/** Starts connecting in the background: a broker that is away is no error. Unreadable certificate files are. */
export async function openMqttLink(settings: MqttSettings, options: LinkOptions, deps: LinkDeps): Promise<MqttLink> {
  const tls = await readTls(settings)
  const link = new ReconnectingLink({ ...clientOptions(settings, options), ...tls }, settings, options, deps)
  link.start()
  return link
}

class ReconnectingLink implements MqttLink {
  readonly #base: IClientOptions
  readonly #settings: MqttSettings
  readonly #options: LinkOptions
  readonly #deps: LinkDeps
  readonly #stop = new AbortController()
  #current: Connection | undefined
  #protocol: 5 | 4
  #running: Promise<void> = Promise.resolve()

  constructor(base: IClientOptions, settings: MqttSettings, options: LinkOptions, deps: LinkDeps) {
    this.#base = base
    this.#settings = settings
    this.#options = options
    this.#deps = deps
    this.#protocol = settings.protocol === '3.1.1' ? 4 : 5
  }

  get connected(): boolean {
    return this.#current?.up ?? false
  }

  start(): void {
    this.#running = this.#keepConnected()
  }

  async publish(topic: string, payload: string | Buffer, options: { retain?: boolean } = {}): Promise<void> {
    return this.#live().publish(topic, payload, options.retain ?? false)
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    return this.#live().subscribe(filters)
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    await this.#live().client.unsubscribeAsync([...filters])
  }

  async close(): Promise<void> {
    this.#stop.abort(new SnowhatError('E_SHUTDOWN', 'the MQTT link was closed'))
    await this.#current?.end()
    await this.#running
  }

  #live(): Connection {
    if (this.#current?.up) return this.#current
    throw disconnected()
  }

  async #keepConnected(): Promise<void> {
    const { clock, log, random } = this.#deps
    let failures = 0
    while (!this.#stop.signal.aborted) {
      const connection = new Connection(
        { ...this.#base, protocolVersion: this.#protocol },
        this.#settings.url,
        this.#options,
        log,
      )
      this.#current = connection
      const ended = await connection.run()
      this.#options.onDisconnect?.()
      if (this.#stop.signal.aborted) break
      if (ended.acceptedOnce) {
        failures = 0
        log.warn({ url: this.#settings.url, err: ended.error }, 'lost the MQTT broker')
      } else if (this.#settings.protocol === 'auto' && this.#protocol === 5 && ended.answered) {
        this.#protocol = 4
        log.debug('the broker does not take MQTT 5, trying 3.1.1')
        continue
      } else {
        // The first failure, then at each doubling: never a line per attempt.
        if (Number.isInteger(Math.log2(failures + 1)))
          log.warn(
            {
              url: this.#settings.url,
              attempt: failures + 1,
              reason: messageOf(ended.error),
              hint: hintFor(ended.error),
            },
            'cannot reach the MQTT broker',
          )
        failures++
        if (this.#settings.protocol === 'auto') this.#protocol = 5
      }
      await clock.sleep(backoffMs(failures, RECONNECT, random), this.#stop.signal).catch(() => undefined)
    }
  }
}

/** One connection, from TCP to its end. */
class Connection {
  readonly client: MqttClient
  up = false
  readonly #options: LinkOptions
  readonly #log: Log
  readonly #pending = new Set<(error: Error) => void>()
  #slots = SEND_WINDOW
  readonly #waiting: (() => void)[] = []
  #answered = false
  #acceptedOnce = false
  #error: unknown

  constructor(base: IClientOptions, url: string, options: LinkOptions, log: Log) {
    this.#options = options
    this.#log = log
    this.client = mqtt.connect(url, base)
    this.client.handleMessage = (packet, done) => {
      Promise.resolve(
        this.#options.onMessage?.({
          topic: packet.topic,
          payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
          retain: packet.retain,
          duplicate: packet.dup,
        }),
      ).then(
        () => done(),
        (error: unknown) => {
          this.#log.error({ err: error, topic: packet.topic }, 'a message was not taken and is not acknowledged')
          done(error instanceof Error ? error : new Error(messageOf(error)))
        },
      )
    }
  }

  /** Resolves when the connection has ended, for whatever reason. */
  run(): Promise<{ acceptedOnce: boolean; answered: boolean; error: unknown }> {
    return new Promise((resolve) => {
      this.client.on('packetreceive', () => {
        this.#answered = true
      })
      this.client.on('connect', (connack) => {
        this.up = true
        this.#acceptedOnce = true
        const announced = connack.properties?.receiveMaximum ?? SEND_WINDOW
        this.#slots = Math.min(SEND_WINDOW, announced)
        Promise.resolve(this.#options.onConnect?.({ resumed: connack.sessionPresent })).catch((error: unknown) => {
          if (!this.up) return
          this.#log.warn({ err: error }, 'setting up the MQTT connection failed, starting it anew')
          this.client.end(true)
        })
      })
      this.client.on('error', (error) => {
        this.#error = error
      })
      this.client.on('close', () => {
        this.up = false
        this.client.end(true)
        for (const reject of this.#pending) reject(disconnected())
        this.#pending.clear()
        for (const wake of this.#waiting.splice(0)) wake()
        resolve({ acceptedOnce: this.#acceptedOnce, answered: this.#answered, error: this.#error })
      })
      this.client.connect()
    })
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
      this.client.subscribe([...filters], { qos: 1 }, (error, granted) => {
        const refused = granted?.find((grant) => grant.qos >= 128)
        done(
          error ??
            (refused && new SnowhatError('E_MQTT_REFUSED', `the broker refuses a subscription to ${refused.topic}`)),
        )
      }),
    )
  }

  async end(): Promise<void> {
    if (this.up) await this.client.endAsync()
    else this.client.end(true)
  }

  #tracked(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      act((error) => {
        this.#pending.delete(reject)
        if (error) reject(error)
        else resolve()
      })
    })
  }
}

function clientOptions(settings: MqttSettings, options: LinkOptions): IClientOptions {
  const persistent = options.persistentSession ?? false
  return {
    clientId: options.clientId,
    clean: !persistent,
    keepalive: settings.keepalive_s,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    manualConnect: true,
    properties: { receiveMaximum: RECEIVE_MAXIMUM, ...(persistent && { sessionExpiryInterval: SESSION_EXPIRY_S }) },
    ...(settings.username !== '' && { username: settings.username }),
    ...(settings.password !== '' && { password: settings.password }),
    ...(options.will && {
      will: { ...options.will, payload: Buffer.from(options.will.payload), qos: 1, retain: true },
    }),
  }
}

async function readTls(settings: MqttSettings): Promise<IClientOptions> {
  const read = async (path: string, what: string) => {
    if (path === '') return undefined
    try {
      return await readFile(path)
    } catch (error) {
      throw new SnowhatError('E_CONFIG_INVALID', `cannot read ${what} ${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  const [ca, cert, key] = await Promise.all([
    read(settings.ca_file, 'the CA file'),
    read(settings.cert_file, 'the client certificate'),
    read(settings.key_file, "the client certificate's key"),
  ])
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

function disconnected(): SnowhatError {
  return new SnowhatError('E_MQTT_DISCONNECTED', 'not connected to the MQTT broker', { retryable: true })
}

/** What a person can do about a connection that is refused. */
function hintFor(error: unknown): string {
  const text = messageOf(error)
  if (/not authorized|bad username|credentials/i.test(text))
    return 'set SNOWHAT_MQTT_USERNAME and SNOWHAT_MQTT_PASSWORD_FILE to a user the broker knows'
  if (/certificate|self.signed|SSL|TLS/i.test(text))
    return "set SNOWHAT_MQTT_CA_FILE to the CA that signed the broker's certificate"
  return 'is the broker running, and is SNOWHAT_MQTT_URL right? Trying again by itself'
}
