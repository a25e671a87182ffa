import { messageOf } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage } from '../src/mqtt-link.ts'
import type { Topics } from '../src/topics.ts'

/** What the bridge says when it is asked. */
export interface Answers {
  /** Who answers: in every answer. */
  about(): object
  health(): object
  /** Of one device, or of all. `undefined`: no such device. */
  ledger(hostname: string | undefined): object | undefined
  /** Sends what waits; resolves when it is committed, or late. */
  flush(): Promise<object>
}

export interface RequestsDeps {
  readonly log: Log
  readonly topics: Topics
  readonly publish: (topic: string, payload: string) => Promise<void>
  readonly answers: Answers
  /** False when another bridge answers by now. */
  readonly speaking: () => boolean
}

/**
 * Answers requests over MQTT: `health`, `ledger` and `flush`. The payload is empty, or an object whose `id` is repeated
 * in the answer; `ledger` takes a `hostname`. Nothing that can be asked for destroys anything.
 */
export class Requests {
  readonly #deps: RequestsDeps

  constructor(deps: RequestsDeps) {
    this.#deps = deps
  }

  get filter(): string {
    return this.#deps.topics.request('+')
  }

  /** Takes the message when it is a request. It is answered in the background: others wait behind this message. */
  take({ topic, payload, retain }: IncomingMessage): boolean {
    const verb = this.#deps.topics.verbOfRequest(topic)
    if (verb === undefined) return false
    // One that is retained was meant for nobody in particular, and would come again with each connection.
    if (!retain && this.#deps.speaking()) void this.#answer(verb, questionIn(payload))
    return true
  }

  async #answer(verb: string, question: Question): Promise<void> {
    const { answers, log, publish, topics } = this.#deps
    try {
      const answer = await this.#find(verb, question)
      const said = { ...(question.id !== undefined && { id: question.id }), ...answers.about(), ...answer }
      await publish(topics.response(verb), JSON.stringify(said))
    } catch (error) {
      log.warn({ verb, reason: messageOf(error) }, 'a request could not be answered')
    }
  }

  async #find(verb: string, { hostname }: Question): Promise<object> {
    const { answers } = this.#deps
    switch (verb) {
      case 'health':
        return answers.health()
      case 'ledger':
        return answers.ledger(hostname) ?? { error: `there is no device ${hostname}` }
      case 'flush':
        return answers.flush()
      default:
        return { error: `there is no request ${verb}: there are health, ledger and flush` }
    }
  }
}

interface Question {
  readonly id?: string | number
  readonly hostname?: string
}

/** Whatever is not an object asks without further words. */
function questionIn(payload: Uint8Array): Question {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return {}
  }
  if (typeof value !== 'object' || value === null) return {}
  const { id, hostname } = value as Record<string, unknown>
  return {
    ...((typeof id === 'string' || typeof id === 'number') && { id }),
    ...(typeof hostname === 'string' && { hostname }),
  }
}
