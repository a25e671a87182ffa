import type { SecureContextOptions } from 'node:tls'
import type { IClientOptions } from 'mqtt'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { Doubling } from './doubling.ts'
import { hintOf, messageOf, SnowhatError } from './errors.ts'
import { type Log, withoutUserInfo } from './log.ts'
import { Connection, disconnected, type LinkOptions } from './mqtt-connection.ts'
import type { MqttSettings } from './mqtt-section.ts'
import { readTlsFiles, tlsFailure } from './mqtt-tls.ts'

export type { IncomingMessage, LinkOptions } from './mqtt-connection.ts'

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
  /**
   * Sends a marker to `topic` and waits until the broker has brought it back: all it had to say before,
   * retained messages of earlier subscriptions included, has then arrived. Rejects after ten seconds in which nothing
   * came (or five minutes), which is what happens when the access rules drop one of the two without a word.
   */
  roundTrip(topic: string): Promise<void>
  /** Drops the connection and makes a new one at once: the broker then sends again what was not acknowledged. */
  restart(): void
  /** Disconnects cleanly, so the broker does not publish the Will. `publish` before it what should be seen last. */
  close(): Promise<void>
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

/** Starts connecting in the background: a broker that is away is no error. Certificate files that are of no use are. */
export async function openMqttLink(settings: MqttSettings, options: LinkOptions, deps: LinkDeps): Promise<MqttLink> {
  if (!/^(mqtts?|wss?):\/\/[^/]+/.test(settings.url))
    throw new SnowhatError('E_CONFIG_INVALID', `mqtt.url ${withoutUserInfo(settings.url)} is no broker address`, {
      hint: 'write it as mqtt://host:1883 (or mqtts://, ws://, wss://)',
    })
  const tls = await readTlsFiles(settings)
  const link = new ReconnectingLink(clientOptions(settings, options), tls, settings, options, deps)
  link.start()
  return link
}

class ReconnectingLink implements MqttLink {
  readonly #base: IClientOptions
  #tls: SecureContextOptions
  readonly #settings: MqttSettings
  readonly #options: LinkOptions
  readonly #deps: LinkDeps
  readonly #stop = new AbortController()
  #current: Connection | undefined
  #protocol: 5 | 4
  #running: Promise<void> = Promise.resolve()
  /** The next attempt follows the end of a connection without a pause. */
  #atOnce = false

  constructor(
    base: IClientOptions,
    tls: SecureContextOptions,
    settings: MqttSettings,
    options: LinkOptions,
    deps: LinkDeps,
  ) {
    this.#base = base
    this.#tls = tls
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

  async roundTrip(topic: string): Promise<void> {
    await this.#live().roundTrip(topic, this.#deps.clock)
  }

  restart(): void {
    this.#atOnce = true
    this.#current?.drop()
  }

  async close(): Promise<void> {
    this.#stop.abort(new SnowhatError('E_SHUTDOWN', 'the MQTT link was closed'))
    await this.#current?.end(this.#deps.clock)
    await this.#running
  }

  #live(): Connection {
    if (this.#current?.up) return this.#current
    throw disconnected()
  }

  async #keepConnected(): Promise<void> {
    const { clock, log, random } = this.#deps
    const failures = new Doubling()
    while (!this.#stop.signal.aborted) {
      const connection = new Connection(
        { ...this.#base, ...this.#tls, protocolVersion: this.#protocol } as IClientOptions,
        this.#settings.url,
        this.#options,
        log,
      )
      this.#current = connection
      const ended = await connection.run()
      const error = (ended.answered ? undefined : tlsFailure(ended.error, this.#settings.url)) ?? ended.error
      this.#options.onDisconnect?.(error)
      if (this.#stop.signal.aborted) break
      if (this.#atOnce) {
        this.#atOnce = false
        continue
      }
      if (ended.ready) {
        failures.reset()
        const reason = error === undefined ? 'the connection has ended' : messageOf(error)
        log.warn({ url: this.#settings.url, reason }, 'lost the MQTT broker')
      } else if (this.#settings.protocol === 'auto' && this.#protocol === 5 && ended.answered && !ended.accepted) {
        this.#protocol = 4
        log.debug('the broker does not take MQTT 5, trying 3.1.1')
        continue
      } else {
        const about = { url: this.#settings.url, reason: messageOf(error), hint: hintFor(error) }
        const what = ended.accepted ? 'the MQTT broker does not let us work' : 'cannot reach the MQTT broker'
        failures.when((attempt) => log.warn({ ...about, attempt }, what))
        if (this.#settings.protocol === 'auto' && !ended.accepted) this.#protocol = 5
      }
      await clock.sleep(backoffMs(failures.times, RECONNECT, random), this.#stop.signal).catch(() => undefined)
      await this.#readTlsAgain()
    }
  }

  /** Certificates are renewed while a program runs. A file that is just being replaced is read the next time. */
  async #readTlsAgain(): Promise<void> {
    if (Object.keys(this.#tls).length > 0) this.#tls = await readTlsFiles(this.#settings).catch(() => this.#tls)
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

/** What a person can do about a connection that is refused. */
function hintFor(error: unknown): string {
  const hint = hintOf(error)
  if (hint !== undefined) return hint
  const text = messageOf(error)
  if (/not authorized|bad username|credentials/i.test(text))
    return 'set SNOWHAT_MQTT_USERNAME and SNOWHAT_MQTT_PASSWORD_FILE to a user the broker knows'
  if (error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')
    return 'let this user read and write its own topics at the broker (access rules)'
  return 'is the broker running, and is SNOWHAT_MQTT_URL right? Trying again by itself'
}
