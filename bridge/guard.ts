import { Bell } from '../src/bell.ts'
import { type BridgeInfo, describeBridge, parseBridgeInfo } from '../src/bridge-info.ts'
import type { Clock } from '../src/clock.ts'
import { SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage, MqttLink } from '../src/mqtt-link.ts'
import { randomId } from '../src/random-id.ts'
import type { Topics } from '../src/topics.ts'

export interface GuardDeps {
  readonly clock: Clock
  readonly log: Log
  readonly topics: Topics
}

/** What the guard does with a connection. */
export type GuardLink = Pick<MqttLink, 'publish' | 'subscribe' | 'unsubscribe' | 'roundTrip'>

/** How often a bridge that is said to be online is asked whether it lives, and how long an answer may take. */
const ASKED_TIMES = 5
const ANSWER_MS = 1_000

/**
 * Finds out, before this bridge speaks, whether another one lives at this broker. The retained `online` alone proves
 * nothing: a broker that crashed, or a bridge that was frozen or killed a moment ago, leaves it behind. So whoever it
 * speaks of is asked, and only an answer counts.
 */
export class Guard {
  readonly #deps: GuardDeps
  readonly #bell = new Bell()
  readonly #id = randomId(16)
  #online = false
  #answer: BridgeInfo | undefined

  constructor(deps: GuardDeps) {
    this.#deps = deps
  }

  /** Takes the message when it is one the guard waits for. */
  take({ topic, payload }: IncomingMessage): boolean {
    const { topics } = this.#deps
    if (topic === topics.bridgeAvailability) this.#online = payload.toString() === 'online'
    else if (topic === topics.response('health')) {
      const answer = answerTo(this.#id, payload)
      if (answer === undefined) return true
      this.#answer = answer
    } else return false
    this.#bell.ring()
    return true
  }

  /** The bridge that lives here; `undefined` when none does, or when the broker's access rules let nobody know. */
  async look(link: GuardLink): Promise<BridgeInfo | undefined> {
    const { log, topics } = this.#deps
    this.#online = false
    const filters = [topics.bridgeAvailability, topics.response('health')]
    try {
      await link.subscribe(filters)
      await link.roundTrip(topics.response('guard'))
      const found = this.#online ? await this.#ask(link, ASKED_TIMES) : undefined
      if (this.#online && found === undefined)
        log.info('the broker holds a bridge as online that does not answer: it is gone')
      return found
    } catch (error) {
      if (!(error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')) throw error
      const hint = 'let this user read bridge/# and write bridge/request/# and bridge/response/# (access rules)'
      log.warn({ reason: error.message, hint }, 'cannot find out whether another bridge is running, going on')
      return undefined
    } finally {
      await link.unsubscribe(filters).catch(() => undefined)
    }
  }

  /** After `look` has found `other` and this bridge has announced itself: waits until it is silent, for a while. */
  async silence(link: GuardLink, other: BridgeInfo): Promise<void> {
    const { log, topics } = this.#deps
    await link.subscribe([topics.response('health')])
    for (let i = 0; i < ASKED_TIMES; i++) if ((await this.#ask(link, 1)) === undefined) return
    log.warn({ bridge: describeBridge(other) }, 'the other bridge still answers, going on')
  }

  async #ask(link: GuardLink, times: number): Promise<BridgeInfo | undefined> {
    const { clock, topics } = this.#deps
    this.#answer = undefined
    for (let i = 0; i < times && this.#answer === undefined; i++) {
      await link.publish(topics.request('health'), JSON.stringify({ id: this.#id }))
      const until = clock.monotonic() + ANSWER_MS
      // Its Will may come only now.
      while (this.#answer === undefined && this.#online && clock.monotonic() < until)
        await this.#bell.waitAtMost(until - clock.monotonic(), clock)
      if (!this.#online) return undefined
    }
    return this.#answer
  }
}

function answerTo(id: string, payload: Uint8Array): BridgeInfo | undefined {
  const info = parseBridgeInfo(payload)
  return info !== undefined && Buffer.from(payload).includes(`"id":"${id}"`) ? info : undefined
}

/** Why this bridge does not start, and what to do. */
export function refusal(other: BridgeInfo, own: string): SnowhatError {
  const copy = other.instance === own ? '; its spool is a copy of this one, or this one of it' : ''
  return new SnowhatError('E_RIVAL', `another bridge is running here: ${describeBridge(other)}${copy}`, {
    hint: 'one bridge per broker: stop that one, or start this one with --take-over and the other stops by itself',
  })
}
