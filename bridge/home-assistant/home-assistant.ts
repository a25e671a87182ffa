import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { Announcement } from '../../src/home-assistant/announcement.ts'
import { Birth } from '../../src/home-assistant/birth.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage } from '../../src/mqtt-link.ts'
import type { Topics } from '../../src/topics.ts'
import { type BridgeDocumentInput, bridgeDocument } from './bridge-document.ts'
import { pipelineDocument } from './pipeline-document.ts'
import { type DocumentsLink, PipelineDocuments } from './pipeline-documents.ts'

export interface HomeAssistantDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly topics: Topics
  readonly bridge: BridgeDocumentInput
  /** Devices the bridge knows. */
  readonly devices: () => Iterable<string>
  /** Home Assistant has started, and its pause is over: what it may have missed is to be said again. */
  readonly onBirth: () => void
}

/**
 * The bridge's documents in Home Assistant: its own device, and what it adds to the Pis'. A broker that does not let it
 * listen is told of once; nothing else of the bridge depends on any of this.
 */
export class HomeAssistant {
  readonly #deps: HomeAssistantDeps
  readonly #birth: Birth
  readonly #own: Announcement
  readonly #pipelines: PipelineDocuments
  readonly #told = new Set<string>()

  constructor(deps: HomeAssistantDeps) {
    const { bridge, topics } = deps
    this.#deps = deps
    this.#birth = new Birth(topics.homeAssistantStatus, () => this.#born(), deps)
    this.#own = new Announcement(topics.bridgeDiscovery, () => bridgeDocument(bridge, topics), deps)
    this.#pipelines = new PipelineDocuments({
      ...deps,
      document: (hostname) => {
        const underBridge = !this.#own.removed && this.#own.refused === undefined
        return pipelineDocument({ hostname, version: bridge.version, underBridge }, topics)
      },
    })
  }

  take(message: IncomingMessage): boolean {
    return this.#birth.message(message) || this.#own.message(message) || this.#pipelines.take(message)
  }

  /** Listens, and announces when all that was retained has come. Never rejects. `ended` aborts with the connection. */
  async connected(link: DocumentsLink, ended: AbortSignal): Promise<void> {
    const { topics } = this.#deps
    try {
      await this.#mayListen(link, [topics.homeAssistantStatus], 'its birth')
      await this.#mayListen(link, [topics.bridgeDiscovery], "this bridge's document")
      const hearsPis = await this.#mayListen(link, this.#pipelines.filters, "the Pis' documents")
      await link.roundTrip(topics.response('read'))
      if (ended.aborted) return
      await this.#own.connected(link)
      if (hearsPis && !ended.aborted) await this.#pipelines.connected(link, ended)
    } catch (error) {
      // The next connection begins anew.
      if (!ended.aborted) this.#tell('announce', messageOf(error))
    }
  }

  disconnected(): void {
    this.#own.disconnected()
    this.#pipelines.disconnected()
  }

  close(): void {
    this.disconnected()
    this.#birth.close()
  }

  #born(): void {
    void this.#own.born()
    this.#pipelines.born()
    this.#deps.onBirth()
  }

  async #mayListen(link: DocumentsLink, filters: readonly string[], what: string): Promise<boolean> {
    try {
      await link.subscribe(filters)
      return true
    } catch (error) {
      if (!(error instanceof SnowhatError && error.code === 'E_MQTT_REFUSED')) throw error
      this.#tell(what, messageOf(error))
      return false
    }
  }

  #tell(what: string, reason: string): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    const hint =
      "let this user read Home Assistant's topics at the broker (access rules), or set home_assistant.enabled to false"
    this.#deps.log.warn({ what, reason, hint }, 'Home Assistant may not see all of this bridge')
  }
}
