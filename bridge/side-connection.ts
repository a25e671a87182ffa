import type { Clock } from '../src/clock.ts'
import { messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage, MqttLink } from '../src/mqtt-link.ts'
import type { Topics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import type { BridgeSettings } from './config.ts'
import type { SideSpeaker } from './connections.ts'
import { isPriced } from './cost/cost.ts'
import type { BridgeDocumentInput } from './home-assistant/bridge-document.ts'
import { HomeAssistant } from './home-assistant/home-assistant.ts'
import type { RetainedLedgers } from './ledger/retained-ledgers.ts'
import { type Answers, Requests } from './requests.ts'
import type { Spool } from './spool/spool.ts'
import { HealthTopic } from './status/health-topic.ts'
import type { StatusSource } from './status/source.ts'

export interface SideConnectionParts {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly topics: Topics
  readonly settings: BridgeSettings
  readonly spool: Spool
  readonly retained: RetainedLedgers
  readonly status: StatusSource
  readonly answers: Answers
  /** Throws while there is no connection. */
  readonly link: () => MqttLink
  /** False when another bridge speaks by now. */
  readonly speaking: () => boolean
  readonly credentialExpires: boolean
  /** Home Assistant has started, and its pause is over. */
  readonly onBirth: () => void
}

/**
 * What is heard and said beside the readings: ledgers that are read, requests, the bridge's health, Home Assistant. None of
 * it may hold up a reading, so it is not on the main connection; and nothing is said of this bridge before that one has
 * spoken.
 */
export class SideConnection implements SideSpeaker {
  readonly #parts: SideConnectionParts
  readonly #requests: Requests
  readonly #health: HealthTopic
  readonly #homeAssistant: HomeAssistant | undefined
  #current: { readonly link: MqttLink; readonly ended: AbortSignal } | undefined
  #maySpeak = false

  constructor(parts: SideConnectionParts) {
    const { log, settings, speaking, spool, topics } = parts
    this.#parts = parts
    this.#requests = new Requests({
      log,
      topics,
      publish: (topic, payload) => parts.link().publish(topic, payload),
      speaking,
      answers: parts.answers,
    })
    this.#health = new HealthTopic({
      ...parts,
      publish: async (topic, payload, options) => parts.link().publish(topic, payload, options),
    })
    if (!settings.home_assistant.enabled) return
    this.#homeAssistant = new HomeAssistant({
      ...parts,
      bridge: documentInput(parts),
      devices: () => [...spool.devices()].map(({ hostname }) => hostname),
      onBirth: () => {
        this.#health.sayAgain()
        parts.onBirth()
      },
    })
  }

  take(message: IncomingMessage): void {
    if (this.#parts.retained.take(message) || this.#requests.take(message)) return
    this.#homeAssistant?.take(message)
  }

  async connected(link: MqttLink, ended: AbortSignal): Promise<void> {
    try {
      await link.subscribe([this.#requests.filter])
    } catch (error) {
      if (!(error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')) throw error
      this.#parts.log.warn({ reason: messageOf(error) }, 'requests cannot be heard')
    }
    this.#current = { link, ended }
    this.#begin()
  }

  disconnected(): void {
    this.#current = undefined
    this.#health.disconnected()
    this.#homeAssistant?.disconnected()
  }

  /** The main connection has spoken; also when it does so again. */
  speak(): void {
    if (this.#maySpeak) return
    this.#maySpeak = true
    this.#begin()
  }

  /** From here on nothing is said of this bridge but answers. */
  close(): void {
    this.disconnected()
    this.#homeAssistant?.close()
  }

  #begin(): void {
    if (this.#current === undefined || !this.#maySpeak || !this.#parts.speaking()) return
    const { link, ended } = this.#current
    this.#health.connected()
    void this.#homeAssistant?.connected(link, ended)
  }
}

function documentInput({ credentialExpires, settings }: SideConnectionParts): BridgeDocumentInput {
  const { cost, http } = settings
  return {
    version: VERSION,
    credentialExpires,
    ...(http.url !== '' && { url: http.url }),
    ...(isPriced(cost) && { currency: cost.currency, budget: cost.budget_per_month > 0 }),
  }
}
