import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { Topics } from '../../src/topics.ts'

/** A message the broker holds. */
export interface RetainedMessage {
  readonly topic: string
  readonly payload: Buffer
}

/** How long a Pi that runs takes to say something, at most: it publishes readings. */
const LISTEN_MS = 3_000
const LOOK_MS = 100
/** How long the broker may take until what was emptied is gone. */
const GONE_MS = 5_000

/**
 * All that the broker holds of one device, whatever it is: what other releases have left there is found as well. Home
 * Assistant's documents come first, so that it takes the entities away before it hears anything else.
 */
export class DeviceTopics {
  readonly #topics: Topics
  readonly #hostname: string
  readonly #clock: Clock
  readonly #held = new Map<string, Buffer>()
  #isLive = false

  constructor(hostname: string, topics: Topics, clock: Clock) {
    this.#hostname = hostname
    this.#topics = topics
    this.#clock = clock
  }

  /** Something was published by the device itself just now. */
  get isLive(): boolean {
    return this.#isLive
  }

  /** What the broker held when it was looked at last, in the order in which it is to be emptied. */
  get held(): RetainedMessage[] {
    const rank = (topic: string) => (topic.startsWith(`${this.#topics.discoveryPrefix}/device/`) ? 0 : 1)
    return [...this.#held]
      .map(([topic, payload]) => ({ topic, payload }))
      .sort((a, b) => rank(a.topic) - rank(b.topic) || (a.topic < b.topic ? -1 : 1))
  }

  payload(topic: string): Buffer | undefined {
    return this.#held.get(topic)
  }

  /** True when the message was about this device. */
  take({ topic, payload, retain }: IncomingMessage): boolean {
    if (!this.#isOwn(topic)) return false
    if (retain && payload.length > 0) this.#held.set(topic, payload)
    // Commands are Home Assistant's.
    const isWord = !retain && payload.length > 0 && topic.startsWith(`${this.#own}/`)
    if (isWord && !topic.startsWith(`${this.#own}/set/`)) this.#isLive = true
    return true
  }

  /**
   * Asks the broker for everything. A broker is silent about what a user may not read or write, so a marker goes to each
   * place and has to come back: throws `E_MQTT_REFUSED` when it does not.
   */
  async look(link: MqttLink): Promise<RetainedMessage[]> {
    this.#held.clear()
    try {
      await link.subscribe(this.#filters())
      // Some brokers let the marker overtake retained messages [observed, aedes 1.2.0]: until no more come.
      for (let before = -1; before < this.#held.size; ) {
        before = this.#held.size
        for (const place of this.#places()) await link.roundTrip(`${place}/forget`)
      }
    } catch (error) {
      throw refusal(error)
    }
    return this.held
  }

  /** Waits until the device says something, and not for ever. */
  async listen(): Promise<void> {
    const until = this.#clock.monotonic() + LISTEN_MS
    while (!this.#isLive && this.#clock.monotonic() < until) await this.#clock.sleep(LOOK_MS)
  }

  /** Empties them one after the other, until the broker holds none. Throws `E_MQTT_REFUSED` when some stay. */
  async empty(link: MqttLink): Promise<void> {
    const until = this.#clock.monotonic() + GONE_MS
    let left = this.held
    while (left.length > 0 && this.#clock.monotonic() < until) {
      for (const { topic } of left)
        await link.publish(topic, '', { retain: true }).catch((error: unknown) => {
          throw refusal(error, topic)
        })
      left = await this.look(link)
    }
    if (left.length > 0)
      throw new SnowhatError(
        'E_MQTT_REFUSED',
        `the broker still holds ${left.map(({ topic }) => topic).join(', ')}: this user may not write there, or somebody writes it again`,
        { hint: HINT },
      )
  }

  get #own(): string {
    return `${this.#topics.base}/${this.#hostname}`
  }

  get #documents(): string {
    return `${this.#topics.discoveryPrefix}/device/${this.#hostname}`
  }

  #filters(): string[] {
    return [`${this.#own}/#`, `${this.#documents}/+/config`, this.#topics.ledger(this.#hostname)]
  }

  /** One per rule that a broker may have. */
  #places(): string[] {
    return [this.#own, this.#documents, this.#topics.ledger(this.#hostname)]
  }

  #isOwn(topic: string): boolean {
    const isDocument = topic.startsWith(`${this.#documents}/`) && topic.endsWith('/config')
    return isDocument || topic.startsWith(`${this.#own}/`) || topic === this.#topics.ledger(this.#hostname)
  }
}

const HINT =
  'sign in as a user who may read and write all of it: with the rules of deploy/mosquitto.acl that is `admin`' +
  ' (SNOWHAT_MQTT_USERNAME and SNOWHAT_MQTT_PASSWORD_FILE)'

function refusal(error: unknown, topic?: string): unknown {
  if (error instanceof SnowhatError && error.code !== 'E_MQTT_REFUSED') return error
  const reason = topic === undefined ? messageOf(error) : `the broker does not let this user empty ${topic}`
  return new SnowhatError('E_MQTT_REFUSED', reason, { hint: HINT, cause: error })
}
