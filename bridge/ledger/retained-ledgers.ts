import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { Topics } from '../../src/topics.ts'

/** How soon it looks again whether the broker can be asked. */
const RETRY_MS = 1_000

/**
 * Reads a device's retained ledger on a connection of its own, one device at a time, so that no queue limit
 * at the broker can make a ledger look absent that is there.
 */
export class RetainedLedgers {
  readonly #topics: Topics
  readonly #link: () => Pick<MqttLink, 'subscribe' | 'unsubscribe' | 'roundTrip'>
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  readonly #found = new Map<string, Ledger | 'unreadable'>()
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

  /** Takes the message when it is a ledger. */
  take({ topic, payload }: IncomingMessage): boolean {
    const hostname = this.#topics.hostnameOfLedger(topic)
    if (hostname === undefined) return false
    // An empty payload clears a retained message: there is none then.
    if (payload.length > 0) this.#found.set(hostname, parseLedger(payload) ?? 'unreadable')
    return true
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

  #readNow(hostname: string): Promise<Ledger | null> {
    return this.#oneAtATime.pass(async () => {
      const link = this.#link()
      const topic = this.#topics.ledger(hostname)
      this.#found.delete(hostname)
      await link.subscribe([topic])
      await link.roundTrip(this.#topics.response('read'))
      await link.unsubscribe([topic])
      const ledger = this.#found.get(hostname) ?? null
      if (ledger === 'unreadable')
        throw new SnowhatError('E_LEDGER_UNREADABLE', `the retained message on ${topic} is no ledger of this version`)
      return ledger
    })
  }
}
