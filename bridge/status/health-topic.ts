import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { Topics } from '../../src/topics.ts'
import type { StatusSource } from './source.ts'

export interface HealthTopicDeps {
  readonly clock: Clock
  readonly log: Log
  readonly topics: Topics
  readonly status: Pick<StatusSource, 'glance' | 'health'>
  /** Retained, QoS 1. */
  readonly publish: (topic: string, payload: string, options: { retain: true }) => Promise<void>
}

/** How often is looked whether something has come or gone: what stands between two messages, too. */
const LOOK_MS = 1_000
/** Numbers are told at most this often. */
const NUMBERS_EVERY_MS = 60_000

/**
 * The bridge's health, retained on `bridge/health`: when a problem comes or goes, or Snowflake can be reached or not any
 * more, at once; otherwise every minute if anything is different. Speaks between `connected` and `disconnected`.
 */
export class HealthTopic {
  readonly #deps: HealthTopicDeps
  #cancel: (() => void) | undefined
  #text = ''
  #urgent = ''
  #saidAt = Number.NEGATIVE_INFINITY
  #refused = false

  constructor(deps: HealthTopicDeps) {
    this.#deps = deps
  }

  /** What the broker holds may be another bridge's. */
  connected(): void {
    this.disconnected()
    this.#say()
    this.#lookAgain()
  }

  disconnected(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Once more, whatever the broker holds. */
  sayAgain(): void {
    if (this.#cancel !== undefined) this.#say()
  }

  #lookAgain(): void {
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      this.#look()
      this.#lookAgain()
    })
  }

  #look(): void {
    const { clock, status } = this.#deps
    const isDue = clock.monotonic() - this.#saidAt >= NUMBERS_EVERY_MS
    if (this.#urgent !== this.#urgentNow()) this.#say()
    else if (isDue && JSON.stringify(status.health()) !== this.#text) this.#say()
  }

  #urgentNow(): string {
    const { alerts, reachable } = this.#deps.status.glance()
    return `${alerts.map(({ code }) => code)} ${reachable}`
  }

  #say(): void {
    const { clock, log, publish, status, topics } = this.#deps
    this.#urgent = this.#urgentNow()
    this.#text = JSON.stringify(status.health())
    this.#saidAt = clock.monotonic()
    publish(topics.bridgeHealth, this.#text, { retain: true }).then(
      () => {
        this.#refused = false
      },
      (error: unknown) => {
        // The next connection says it again.
        if (error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED') return
        if (this.#refused) return
        this.#refused = true
        const hint = `let the bridge write ${topics.bridgeHealth} at the broker (access rules)`
        log.warn({ reason: messageOf(error), hint }, "the broker refuses the bridge's health")
      },
    )
  }
}
