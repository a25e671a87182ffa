import { instanceIn } from '../src/bridge-info.ts'
import { SnowhatError } from '../src/errors.ts'
import { type Ledger, parseLedger } from '../src/ledger.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage, MqttLink } from '../src/mqtt-link.ts'
import type { Topics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import type { Spool } from './spool/spool.ts'

export interface PresenceDeps {
  readonly log: Log
  readonly topics: Topics
  readonly spool: Spool
  readonly startedAt: number
  /** Another bridge speaks for this broker. */
  readonly onRival: (reason: string) => void
}

/**
 * The bridge among bridges: reads what the last one left before it speaks, and stands down when it finds that
 * another has spoken since.
 */
export class Presence {
  readonly #deps: PresenceDeps
  /** The instance in `info` when this process first looked, and our own; `undefined` before that. */
  #known: Set<string> | undefined
  #instance: string | null = null

  constructor(deps: PresenceDeps) {
    this.#deps = deps
  }

  readonly filters = (): string[] => [this.#deps.topics.bridgeInfo, this.#deps.topics.allLedgers]

  /** Takes the message when it is one of `info` or a ledger. */
  take(message: IncomingMessage): boolean {
    const { topics } = this.#deps
    if (message.topic === topics.bridgeInfo) {
      this.#instance = instanceIn(message.payload) ?? null
      if (this.#known !== undefined) this.#look()
      return true
    }
    const hostname = topics.hostnameOfLedger(message.topic)
    if (hostname === undefined) return false
    const ledger = parseLedger(message.payload)
    if (ledger !== undefined) this.#remember(hostname, ledger)
    return true
  }

  /** All retained messages have been read: say that this bridge is here. Says nothing, and throws, beside a rival. */
  async speak(link: MqttLink): Promise<void> {
    const { topics, spool, startedAt } = this.#deps
    if (this.#known === undefined) this.#known = new Set(this.#instance === null ? [] : [this.#instance])
    this.#known.add(spool.instance)
    if (this.#look()) throw new SnowhatError('E_RIVAL', 'another bridge speaks here')
    const info = { instance: spool.instance, version: VERSION, started_at: new Date(startedAt).toISOString() }
    await link.publish(topics.bridgeAvailability, 'online', { retain: true })
    await link.publish(topics.bridgeInfo, JSON.stringify(info), { retain: true })
  }

  /** A name that is neither one of ours nor the one we found at the start was written by a bridge that runs now. */
  #look(): boolean {
    const name = this.#instance
    if (name === null || this.#known?.has(name)) return false
    this.#deps.onRival(`another bridge (${name}) has announced itself on ${this.#deps.topics.bridgeInfo}`)
    return true
  }

  #remember(hostname: string, ledger: Ledger): void {
    const device = this.#deps.spool.device(hostname)
    if (!device.readLedger(ledger, this.#deps.spool.instance)) return
    this.#deps.spool
      .save([device])
      .catch((error: unknown) => this.#deps.log.error({ err: error }, 'cannot save a ledger'))
  }
}
