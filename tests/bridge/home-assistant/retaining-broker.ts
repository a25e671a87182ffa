import type { DocumentsLink } from '../../../bridge/home-assistant/pipeline-documents.ts'
import { SnowhatError } from '../../../src/errors.ts'
import type { IncomingMessage } from '../../../src/mqtt-link.ts'

/** Retained messages and one listener behind a connection. What is published comes back later, in order, never before `deliver`. */
export class RetainingBroker {
  readonly retained = new Map<string, string>()
  /** By the listener itself. */
  readonly published: { readonly topic: string; readonly payload: string }[] = []
  /** Topics it does not let the listener write. */
  refuses: (topic: string) => boolean = () => false
  /** Topics whose retained messages are dropped when a filter with a wildcard brings them: a queue that is too short. */
  drops: (topic: string) => boolean = () => false
  /** Topics it never brings, without a word. */
  mutes: (topic: string) => boolean = () => false
  readonly #filters = new Set<string>()
  readonly #queue: IncomingMessage[] = []
  readonly #hear: (message: IncomingMessage) => void
  #ended = new AbortController()

  constructor(hear: (message: IncomingMessage) => void) {
    this.#hear = hear
  }

  get ended(): AbortSignal {
    return this.#ended.signal
  }

  readonly link: DocumentsLink = {
    publish: async (topic, payload) => {
      this.#live()
      if (this.refuses(topic)) throw new Error('Not authorized')
      this.published.push({ topic, payload: String(payload) })
      this.say(topic, String(payload))
    },
    subscribe: async (filters) => {
      this.#live()
      for (const filter of filters) {
        this.#filters.add(filter)
        for (const [topic, text] of this.retained)
          if (matches(filter, topic) && !(filter.includes('+') && this.drops(topic))) this.#push(topic, text, true)
      }
    },
    unsubscribe: async (filters) => {
      this.#live()
      for (const filter of filters) this.#filters.delete(filter)
    },
    roundTrip: async () => {
      this.#live()
      this.deliver()
    },
  }

  /** Somebody publishes something retained. */
  say(topic: string, text: string): void {
    if (text === '') this.retained.delete(topic)
    else this.retained.set(topic, text)
    if ([...this.#filters].some((filter) => matches(filter, topic))) this.#push(topic, text, false)
  }

  /** All that is on its way, or only the first so many. */
  deliver(most = Number.POSITIVE_INFINITY): void {
    for (const message of this.#queue.splice(0, most)) this.#hear(message)
  }

  /** The connection ends, and what is on its way is lost. */
  cut(): void {
    this.#queue.length = 0
    this.#filters.clear()
    this.#ended.abort()
    this.#ended = new AbortController()
  }

  #live(): void {
    if (this.#ended.signal.aborted) throw new SnowhatError('E_MQTT_DISCONNECTED', 'no connection')
  }

  #push(topic: string, text: string, retain: boolean): void {
    if (!this.mutes(topic)) this.#queue.push({ topic, payload: Buffer.from(text), retain, duplicate: false })
  }
}

function matches(filter: string, topic: string): boolean {
  const [filters, levels] = [filter.split('/'), topic.split('/')]
  return filters.length === levels.length && filters.every((level, i) => level === '+' || level === levels[i])
}
