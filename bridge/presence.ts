import { type BridgeInfo, instanceIn } from '../src/bridge-info.ts'
import { SnowhatError } from '../src/errors.ts'
import { type Ledger, parseLedger } from '../src/ledger.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage, MqttLink } from '../src/mqtt-link.ts'
import type { Topics } from '../src/topics.ts'
import type { Spool } from './spool/spool.ts'

export interface PresenceDeps {
  readonly log: Log
  readonly topics: Topics
  readonly spool: Spool
  readonly info: () => BridgeInfo
  /** Another bridge speaks for this broker. */
  readonly onRival: (reason: string) => void
  /** False: beside another bridge this one goes on, and only says so. */
  readonly standsDown: boolean
}

/** The id and the instance of a ledger stand within so many bytes. */
const HEAD_BYTES = 64

/**
 * The bridge among bridges: reads what the last one left before it speaks, and stands down when it finds that
 * another has spoken since.
 */
export class Presence {
  readonly #deps: PresenceDeps
  /** Names of this bridge: its spool may have taken a new one. Empty until it has spoken. */
  readonly #own = new Set<string>()
  /** The name in `info` when this process first looked: a broker that lost its memory may show it again. */
  #found: string | null = null
  #replaced: string | undefined
  readonly #saving: Promise<void>[] = []
  /** The name heard last, and whether it was said while this bridge listened. */
  #heard: { readonly name: string | null; readonly now: boolean } = { name: null, now: false }

  constructor(deps: PresenceDeps) {
    this.#deps = deps
  }

  readonly filters = (): string[] => [this.#deps.topics.bridgeInfo, this.#deps.topics.allLedgers]

  /** A bridge that this one takes over from: what it still says does not count. */
  replaces(instance: string): void {
    this.#replaced = instance
  }

  /** Another bridge is there as well, and this one goes on nevertheless. */
  get beside(): boolean {
    return !this.#deps.standsDown && this.#isRival()
  }

  /** Takes the message when it is one of `info` or a ledger. */
  take(message: IncomingMessage): boolean {
    const { topics } = this.#deps
    if (message.topic === topics.bridgeInfo) {
      // What was queued for the session comes as if it were said now; the retained copy after it tells how old it is.
      this.#heard = { name: instanceIn(message.payload) ?? null, now: !message.retain }
      if (this.#own.size > 0) this.#look()
      return true
    }
    const hostname = topics.keyOfLedger(message.topic)
    if (hostname === undefined) return false
    if (this.#isEcho(hostname, message)) return true
    const ledger = parseLedger(message.payload)
    if (ledger !== undefined) this.#remember(hostname, ledger)
    return true
  }

  /** All retained messages have been read: say that this bridge is here. Says nothing, and throws, beside a rival. */
  async speak(link: MqttLink): Promise<void> {
    const { topics, spool, info } = this.#deps
    if (this.#own.size === 0) this.#found = this.#heard.name
    this.#own.add(spool.instance)
    if (this.#look()) throw new SnowhatError('E_RIVAL', 'another bridge speaks here')
    // Its words are written over next: until then they must be on the disk, or the next bridge would not know them.
    await Promise.all(this.#saving.splice(0))
    await link.publish(topics.bridgeAvailability, 'online', { retain: true })
    await link.publish(topics.bridgeInfo, JSON.stringify(info()), { retain: true })
  }

  #look(): boolean {
    // All that the bridge before us had to say has come by now.
    if (this.#own.has(this.#heard.name ?? '')) this.#replaced = undefined
    if (!this.#isRival()) return false
    const { log, onRival, standsDown, topics } = this.#deps
    const reason = `another bridge (${this.#heard.name}) has announced itself on ${topics.bridgeInfo}`
    if (standsDown) onRival(reason)
    else log.fatal({ reason }, 'two bridges at one broker, and the guard is off')
    return standsDown
  }

  /** A name that is not ours is of a bridge that runs now, unless it is the one that was there when we came. */
  #isRival(): boolean {
    const { name, now } = this.#heard
    if (name === null || this.#own.size === 0 || this.#own.has(name) || name === this.#replaced) return false
    return now || name !== this.#found
  }

  /**
   * What this bridge has just said comes back to it: of a large fleet a thousand ledgers a second, and none is news. Its own
   * name stands in the first bytes (`ledger-of.ts`); what is not told apart here is read like any other.
   */
  #isEcho(hostname: string, { payload, retain }: IncomingMessage): boolean {
    if (retain || !this.#deps.spool.known(hostname)?.ledgerRead) return false
    return payload.subarray(0, HEAD_BYTES).includes(`"instance":"${this.#deps.spool.instance}"`)
  }

  #remember(hostname: string, ledger: Ledger): void {
    const device = this.#deps.spool.device(hostname)
    if (!device.readLedger(ledger, this.#deps.spool.instance)) return
    const saving = this.#deps.spool.save([device])
    saving.catch((error: unknown) => this.#deps.log.error({ err: error }, 'cannot save a ledger'))
    this.#saving.push(saving)
  }
}
