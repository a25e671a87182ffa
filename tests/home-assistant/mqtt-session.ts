import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { topicMatches } from './judge/topics.ts'

export interface SessionOptions {
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** 5 as Home Assistant of 2026, or 4 for brokers that have only MQTT 3.1.1. */
  readonly protocolVersion: 4 | 5
  /** Topic and payload; QoS 0, not retained. */
  readonly will: readonly [topic: string, payload: string] | undefined
  /** Between two attempts to connect. */
  readonly reconnectMs: number
}

export interface Publication {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Seconds; MQTT 5 only. */
  readonly expiry?: number | undefined
}

type Listener = (payload: Uint8Array, retained: boolean, topic: string) => void

interface Subscription {
  readonly filter: string
  readonly qos: 0 | 1 | 2
  readonly listener: Listener
  /** Topics whose retained message it has had: it gets each once until the next connection. */
  readonly replayed: Set<string>
}

/**
 * Home Assistant's connection: a clean session, one SUBSCRIBE for all that are new in a moment, a new one for a topic
 * that is subscribed already (which brings its retained message again, to the newcomer alone), and all of them again
 * after a reconnect [spec 1.1, 1.11].
 */
export class MqttSession {
  readonly #options: SessionOptions
  readonly #hasChanged: (connected: boolean) => void
  readonly #subscriptions = new Set<Subscription>()
  #unsent = new Map<string, 0 | 1 | 2>()
  #unacknowledged = 0
  #connections = 0
  #client: MqttClient | undefined

  /** `hasChanged` is told of every CONNACK and of every loss. */
  constructor(options: SessionOptions, hasChanged: (connected: boolean) => void) {
    this.#options = options
    this.#hasChanged = hasChanged
  }

  get connected(): boolean {
    return this.#client?.connected ?? false
  }

  /** Whether the broker has answered every subscription. */
  get subscribed(): boolean {
    return this.connected && this.#unsent.size === 0 && this.#unacknowledged === 0
  }

  open(): void {
    const { url, username, password, protocolVersion, will, reconnectMs } = this.#options
    const options: IClientOptions = {
      protocolVersion,
      clean: true,
      resubscribe: false,
      reconnectPeriod: reconnectMs,
      reconnectOnConnackError: true,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(will && { will: { topic: will[0], payload: Buffer.from(will[1]), qos: 0, retain: false } }),
    }
    const client = connect(url, options)
    this.#client = client
    let wasConnected = false
    // Told of by `close`; without a listener the process would end.
    client.on('error', () => undefined)
    client.on('connect', () => {
      wasConnected = true
      this.#connections++
      this.#unacknowledged = 0
      for (const { replayed, filter, qos } of this.#subscriptions) {
        replayed.clear()
        this.#unsent.set(filter, qos)
      }
      this.#sendSubscriptions()
      this.#hasChanged(true)
    })
    client.on('close', () => {
      if (!wasConnected) return
      wasConnected = false
      this.#hasChanged(false)
    })
    client.on('message', (topic, payload, packet) => this.#deliver(topic, payload, packet))
  }

  /** Calls the listener for each message; gives what ends that. */
  listen(filter: string, qos: 0 | 1 | 2, listener: Listener): () => void {
    const subscription: Subscription = { filter, qos, listener, replayed: new Set() }
    this.#subscriptions.add(subscription)
    if (this.#unsent.size === 0) setImmediate(() => this.#sendSubscriptions())
    this.#unsent.set(filter, qos)
    return () => {
      this.#subscriptions.delete(subscription)
      if (this.connected && ![...this.#subscriptions].some((other) => other.filter === filter))
        this.#client?.unsubscribe(filter)
    }
  }

  /** Settles when the broker has it: sent for QoS 0, acknowledged for others. */
  async publish({ topic, payload, qos, retain, expiry }: Publication): Promise<void> {
    if (!this.#client?.connected) throw new Error(`not connected: ${topic} was not published`)
    const hasExpiry = expiry !== undefined && this.#options.protocolVersion === 5
    await this.#client.publishAsync(topic, payload, {
      qos,
      retain,
      ...(hasExpiry && { properties: { messageExpiryInterval: expiry } }),
    })
  }

  /** A clean DISCONNECT. */
  async close(): Promise<void> {
    const client = this.#leave()
    await client?.endAsync()
  }

  /** The process dies: no DISCONNECT, so the broker publishes the Will. */
  async crash(): Promise<void> {
    const client = this.#leave()
    if (client?.connected) {
      const isGone = new Promise<void>((resolve) => client.once('close', () => resolve()))
      client.stream.destroy()
      await isGone
    }
    await client?.endAsync(true)
  }

  #leave(): MqttClient | undefined {
    const client = this.#client
    this.#client = undefined
    this.#subscriptions.clear()
    this.#unsent = new Map()
    client?.removeAllListeners('message')
    client?.removeAllListeners('connect')
    return client
  }

  #sendSubscriptions(): void {
    const client = this.#client
    if (!client?.connected || this.#unsent.size === 0) return
    const wanted = Object.fromEntries([...this.#unsent].map(([filter, qos]) => [filter, { qos }]))
    this.#unsent = new Map()
    this.#unacknowledged++
    const connection = this.#connections
    client.subscribe(wanted, () => {
      // Also called for what a lost connection has left unanswered.
      if (connection === this.#connections) this.#unacknowledged--
    })
  }

  #deliver(topic: string, payload: Uint8Array, { retain }: IPublishPacket): void {
    for (const subscription of [...this.#subscriptions]) {
      const { filter, listener, replayed } = subscription
      // What one listener hears may end another.
      if (!this.#subscriptions.has(subscription) || !topicMatches(filter, topic)) continue
      if (retain && replayed.has(topic)) continue
      if (retain) replayed.add(topic)
      listener(payload, retain, topic)
    }
  }
}
