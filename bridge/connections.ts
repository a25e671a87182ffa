import { type BridgeInfo, describeBridge } from '../src/bridge-info.ts'
import { SnowhatError } from '../src/errors.ts'
import { type IncomingMessage, type LinkDeps, type LinkOptions, type MqttLink, openMqttLink } from '../src/mqtt-link.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import { randomId } from '../src/random-id.ts'
import type { Topics } from '../src/topics.ts'
import { within } from '../src/within.ts'
import { type Guard, refusal } from './guard.ts'
import type { Presence } from './presence.ts'
import type { Spool } from './spool/spool.ts'

/** Who uses the side connection, apart from the guard. */
export interface SideSpeaker {
  take(message: IncomingMessage): void
  /** No other bridge lives here. `ended` aborts with the connection. Never rejects because the broker refuses something. */
  connected(link: MqttLink, ended: AbortSignal): Promise<void>
  disconnected(): void
}

export interface ConnectionsDeps extends LinkDeps {
  /** Before the main connection is made; `undefined` looks for nobody. */
  readonly guard: Guard | undefined
  /** Another bridge that lives here is to give way; else this one does not start. */
  readonly takeOver: boolean
  readonly info: () => BridgeInfo
  readonly topics: Topics
  readonly spool: Spool
  readonly presence: Presence
  readonly side: SideSpeaker
  /** Another bridge lives here, and this one must not start. */
  readonly onRefused: (reason: SnowhatError) => void
}

/** How long a start waits for the broker to say whether it may; after that it goes on, and the answer comes when it comes. */
const START_WAIT_MS = 8_000

/** The first may have found a broker that does not speak MQTT 5. */
const ATTEMPTS = 2

/**
 * The bridge's two connections. The *main* one has the fixed client id and the persistent session: readings come on it,
 * ledgers go out on it. Connecting it throws any other bridge off the broker, so first the *side* one looks whether there
 * is another. The side connection's session is clean and its name its own: nothing queues for it, and a full spool or the
 * broker's queue limit does not stand in its way. Retained ledgers are read on it, and requests answered.
 */
export class Connections {
  readonly #settings: MqttSettings
  readonly #main: LinkOptions
  readonly #deps: ConnectionsDeps
  #mainLink: MqttLink | undefined
  #sideLink: MqttLink | undefined
  /** No other bridge lives here. */
  #cleared = false
  /** The rest of this bridge has started. */
  #ready = false
  #closing = false
  #opening: Promise<void> | undefined

  constructor(settings: MqttSettings, main: LinkOptions, deps: ConnectionsDeps) {
    this.#settings = settings
    this.#main = main
    this.#deps = deps
  }

  /** Throws while there is no such connection. */
  get main(): MqttLink {
    return live(this.#mainLink)
  }

  get side(): MqttLink {
    return live(this.#sideLink)
  }

  get connected(): boolean {
    return this.#mainLink?.connected ?? false
  }

  /** Looks for another bridge. Resolves when that is known, or the broker is away: no reason not to start. */
  async look(): Promise<void> {
    const { clock, guard, side } = this.#deps
    let attempts = 0
    let settled: () => void = () => undefined
    const known = new Promise<void>((resolve) => {
      settled = resolve
    })
    this.#sideLink = await openMqttLink(
      this.#settings,
      {
        clientId: `${this.#main.clientId}-side-${randomId(4)}`,
        onMessage: (message) => {
          if (!guard?.take(message)) side.take(message)
        },
        onConnect: async ({ ended }) => {
          await this.#lookOnce(ended)
          settled()
        },
        onDisconnect: () => {
          side.disconnected()
          if (++attempts >= ATTEMPTS) settled()
        },
      },
      this.#deps,
    )
    if (guard === undefined) this.#cleared = true
    else await within(START_WAIT_MS, clock, () => known)
  }

  /** From here on this bridge speaks, as soon as it is known that it may. */
  async speak(): Promise<void> {
    this.#ready = true
    await this.#openMain()
  }

  /** Drops the main connection and makes it anew, so that the broker sends again what was not acknowledged. */
  restart(): void {
    this.#mainLink?.restart()
  }

  async closeMain(): Promise<void> {
    this.#closing = true
    await this.#opening
    await this.#mainLink?.close()
  }

  async close(): Promise<void> {
    await this.closeMain()
    await this.#sideLink?.close()
  }

  /** Before the main connection is made for the first time, and never after. */
  async #lookOnce(ended: AbortSignal): Promise<void> {
    const { guard, info, onRefused, side, takeOver } = this.#deps
    const link = this.side
    if (!this.#cleared && guard !== undefined) {
      const other = await guard.look(link)
      if (other !== undefined && !takeOver) return onRefused(refusal(other, info().instance))
      if (other !== undefined) await this.#takeOver(link, other, guard)
    }
    this.#cleared = true
    await this.#openMain()
    // Nobody needs an answer for readings to arrive.
    await side.connected(link, ended)
  }

  /** The running bridge hears of this one and stops by itself; only then the main connection is made. */
  async #takeOver(link: MqttLink, other: BridgeInfo, guard: Guard): Promise<void> {
    const { info, log, presence, spool, topics } = this.#deps
    log.warn({ bridge: describeBridge(other) }, 'taking over from the bridge that runs')
    // Two with one name would never notice one another: one of the two spools is a copy.
    if (other.instance === spool.instance) await spool.renew()
    presence.replaces(other.instance)
    await link.publish(topics.bridgeInfo, JSON.stringify(info()), { retain: true })
    await guard.silence(link, other)
  }

  #openMain(): Promise<void> {
    if (this.#cleared && this.#ready && !this.#closing)
      this.#opening ??= openMqttLink(this.#settings, this.#main, this.#deps).then((link) => {
        this.#mainLink = link
      })
    return this.#opening ?? Promise.resolve()
  }
}

function live(link: MqttLink | undefined): MqttLink {
  if (link !== undefined) return link
  throw new SnowhatError('E_MQTT_DISCONNECTED', 'not connected yet', { retryable: true })
}
