import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { StopSignal } from '../../src/stop.ts'
import type { Topics } from '../../src/topics.ts'

/** How soon it looks again whether the broker can be asked. */
const RETRY_MS = 1_000
/** The two connections come back each in its own time; the longest pause between two attempts is a minute. */
const CONNECT_WAIT_MS = 65_000
const CONNECT_LOOK_MS = 100
/**
 * Ledgers asked for in one go: what any broker has room for (Mosquitto has 20 messages under way to a client and queues 1,000
 * [documented]; aedes loses some of 200 [observed]), so that no limit can make a ledger look absent that is there. One by one,
 * each would cost the 40 ms for which a kernel delays acknowledgements [observed]: for a fleet of 1,000 that is most of a minute.
 */
const LEDGERS_AT_ONCE = 20

/** A question to the broker that has not left yet: who comes until then is asked for as well. */
interface Round {
  readonly topics: Set<string>
  readonly found: Promise<readonly IncomingMessage[]>
}

/**
 * Reads what the broker holds on a connection of its own: what others left on the bridge's topics, and devices' ledgers. On the
 * main connection it would come behind everything that is queued for the session: behind readings that a full spool does not
 * take, never.
 */
export class RetainedLedgers {
  readonly #topics: Topics
  readonly #link: () => Pick<MqttLink, 'subscribe' | 'unsubscribe' | 'roundTrip'>
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  #heard: IncomingMessage[] = []
  readonly #oneAtATime = new Gate(1)
  #round: Round | undefined

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
    if (topic !== this.#topics.bridgeInfo && this.#topics.keyOfLedger(topic) === undefined) return false
    this.#heard.push(message)
    return true
  }

  /** All that the broker holds on these topics, as soon as there is a connection. */
  async messages(filters: readonly string[], signal: StopSignal): Promise<IncomingMessage[]> {
    const { clock } = this.#deps
    const until = clock.monotonic() + CONNECT_WAIT_MS
    for (;;) {
      try {
        return await this.#oneAtATime.pass(() => this.#messagesOn(filters))
      } catch (error) {
        const lost = error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED'
        if (!lost || clock.monotonic() >= until) throw error
      }
      await clock.sleep(CONNECT_LOOK_MS, signal)
    }
  }

  /** What the broker holds of the bridge that speaks now. Throws when the broker cannot be asked. */
  async info(): Promise<IncomingMessage | undefined> {
    const topic = this.#topics.bridgeInfo
    return (await this.#inRound(topic)).find((message) => message.topic === topic)
  }

  /** `null`: the broker holds none. However long the broker takes to be there; rejects with `E_LEDGER_UNREADABLE`. */
  async read(hostname: string, signal: StopSignal): Promise<Ledger | null> {
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
    const found = await this.#inRound(topic)
    // An empty payload clears a retained message: there is none then.
    const held = found.findLast((message) => message.topic === topic && message.payload.length > 0)
    if (held === undefined) return null
    const ledger = parseLedger(held.payload)
    if (ledger === undefined)
      throw new SnowhatError('E_LEDGER_UNREADABLE', `the retained message on ${topic} is no ledger of this version`)
    return ledger
  }

  #inRound(topic: string): Promise<readonly IncomingMessage[]> {
    if (this.#round === undefined || this.#round.topics.size >= LEDGERS_AT_ONCE) this.#round = this.#newRound()
    this.#round.topics.add(topic)
    return this.#round.found
  }

  #newRound(): Round {
    const topics = new Set<string>()
    const leave = () => {
      // Whoever comes from here on is too late for this one.
      if (this.#round?.topics === topics) this.#round = undefined
      return this.#messagesOn([...topics])
    }
    // Not before the first topic is in.
    const found = Promise.resolve().then(() => this.#oneAtATime.pass(leave))
    return { topics, found }
  }

  /**
   * What nothing came for is asked for once more. MQTT orders one publisher's messages on one topic [documented], not what a
   * broker had retained and the marker that comes after it: Mosquitto keeps them in order [observed], aedes not always
   * [observed], and a ledger that looks absent would be believed. What matches a wildcard is never known to be all.
   */
  async #messagesOn(filters: readonly string[]): Promise<IncomingMessage[]> {
    this.#heard = []
    await this.#ask(filters)
    const answered = new Set(this.#heard.map(({ topic }) => topic))
    const again = filters.filter((filter) => !answered.has(filter))
    if (again.length > 0) await this.#ask(again)
    return this.#heard
  }

  async #ask(filters: readonly string[]): Promise<void> {
    const link = this.#link()
    await link.subscribe(filters)
    await link.roundTrip(this.#topics.response('read'))
    await link.unsubscribe(filters)
  }
}
