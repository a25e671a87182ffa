import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { Topics } from '../../src/topics.ts'

/** How soon it looks again whether the broker can be asked. */
const RETRY_MS = 1_000
/** The two connections come back each in its own time; the longest pause between two attempts is a minute. */
const CONNECT_WAIT_MS = 65_000
const CONNECT_LOOK_MS = 100

/**
 * Reads what the broker holds on a connection of its own: what others left on the bridge's topics, and a device's ledger, one
 * device at a time, so that no queue limit at the broker can make a ledger look absent that is there. On the main connection it
 * would come behind everything that is queued for the session: behind readings that a full spool does not take, never.
 */
export class RetainedLedgers {
  readonly #topics: Topics
  readonly #link: () => Pick<MqttLink, 'subscribe' | 'unsubscribe' | 'roundTrip'>
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  #heard: IncomingMessage[] = []
  readonly #oneAtATime = new Gate(1)

  /** `link` throws while there is no connection. */
  constructor(
    topics: Topics,
    link: () => Pick<MqttLink, 'subscribe' | 'unsubscribe' | 'roundTrip'>,
    deps: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#topics = topics
    this.#link = link
    this.#deps = deps
  }

  /** Takes the message when it is a ledger, or a bridge's `info`. */
  take(message: IncomingMessage): boolean {
    const { topic } = message
    if (topic !== this.#topics.bridgeInfo && this.#topics.hostnameOfLedger(topic) === undefined) return false
    this.#heard.push(message)
    return true
  }

  /** All that the broker holds on these topics, as soon as there is a connection. */
  async messages(filters: readonly string[], signal: AbortSignal): Promise<IncomingMessage[]> {
    const { clock } = this.#deps
    const until = clock.monotonic() + CONNECT_WAIT_MS
    for (;;) {
      try {
        return await this.#messagesNow(filters)
      } catch (error) {
        const lost = error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED'
        if (!lost || clock.monotonic() >= until) throw error
      }
      await clock.sleep(CONNECT_LOOK_MS, signal)
    }
  }

  /** `null`: the broker holds none. However long the broker takes to be there; rejects with `E_LEDGER_UNREADABLE`. */
  async read(hostname: string, signal: AbortSignal): Promise<Ledger | null> {
    for (;;) {
      try {
        return await this.#readNow(hostname)
      } catch (error) {
        if (error instanceof SnowhatError && error.code === 'E_LEDGER_UNREADABLE') throw error
        this.#deps.log.debug({ err: error, device: hostname }, 'cannot read the retained ledger yet')
      }
      await this.#deps.clock.sleep(RETRY_MS, signal)
    }
  }

  async #readNow(hostname: string): Promise<Ledger | null> {
    const topic = this.#topics.ledger(hostname)
    const found = await this.#messagesNow([topic])
    // An empty payload clears a retained message: there is none then.
    const last = found.findLast((message) => message.topic === topic && message.payload.length > 0)
    if (last === undefined) return null
    const ledger = parseLedger(last.payload)
    if (ledger === undefined)
      throw new SnowhatError('E_LEDGER_UNREADABLE', `the retained message on ${topic} is no ledger of this version`)
    return ledger
  }

  #messagesNow(filters: readonly string[]): Promise<IncomingMessage[]> {
    return this.#oneAtATime.pass(async () => {
      const link = this.#link()
      this.#heard = []
      await link.subscribe(filters)
      await link.roundTrip(this.#topics.response('read'))
      await link.unsubscribe(filters)
      return this.#heard
    })
  }
}
