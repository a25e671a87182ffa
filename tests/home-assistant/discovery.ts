import { isDeepStrictEqual } from 'node:util'
import type { JudgeOptions } from './judge/case.ts'
import {
  type ConfigTopic,
  type DeviceDocument,
  type DiscoveryTopic,
  isTombstone,
  parseConfigTopic,
  readDocument,
  textOf,
  withSharedOptions,
} from './judge/document.ts'
import { type Fields, type Finding, isFields } from './judge/finding.ts'
import { judge } from './judge/judge.ts'
import { PLATFORMS } from './judge/tables/platforms.ts'
import { type Hass, LiveEntity } from './live-entity.ts'
import type { RegisteredEntity, Registries } from './registries.ts'

/** The last document on a topic. */
export interface HeardDocument {
  readonly payload: string
  readonly findings: readonly Finding[]
  /** Nothing of it was applied. */
  readonly isRefused: boolean
}

/** Any message on a discovery topic, also one that removes. */
export interface Announcement {
  readonly topic: string
  readonly payload: string
  /** True for one the broker had kept. */
  readonly isReplay: boolean
  /** Epoch milliseconds. */
  readonly at: number
}

/** An id that was there already: Home Assistant ignores the second entity. */
export interface Duplicate {
  readonly platform: string
  readonly uniqueId: string
  readonly topic: string
}

/** A component Home Assistant has taken. */
interface Discovered {
  readonly topic: string
  /** Of the entity that is up. A changed id counts only after a restart [Home Assistant's source]. */
  readonly uniqueId: string
  /** All it was made of, to see whether a further copy says anything new. */
  sent: Fields
}

/** What Home Assistant does with device documents [spec 1.1, 1.3, 1.7, 1.8]. */
export class Discovery {
  readonly documents = new Map<string, HeardDocument>()
  readonly announcements: Announcement[] = []
  readonly duplicates: Duplicate[] = []
  readonly #hass: Hass
  readonly #registries: Registries
  readonly #options: JudgeOptions
  readonly #prefix: string
  /** By platform and discovery id. */
  readonly #discovered = new Map<string, Discovered>()
  /** By platform and unique id. */
  readonly #live = new Map<string, LiveEntity>()

  constructor(hass: Hass, registries: Registries, prefix: string, options: JudgeOptions) {
    this.#hass = hass
    this.#registries = registries
    this.#prefix = prefix
    this.#options = { ...options, prefix }
  }

  /** The entity, if it is up. */
  live({ platform, uniqueId }: Pick<RegisteredEntity, 'platform' | 'uniqueId'>): LiveEntity | undefined {
    return this.#live.get(`${platform} ${uniqueId}`)
  }

  /** The entities a document has made that are up. */
  liveOf(topic: string): readonly LiveEntity[] {
    return [...this.#discovered].flatMap(([id, { topic: itsTopic, uniqueId }]) => {
      const live = itsTopic === topic ? this.live({ platform: platformOf(id), uniqueId }) : undefined
      return live ? [live] : []
    })
  }

  /** Where a device's entities were announced. */
  topicsOf(deviceId: number): ReadonlySet<string> {
    const topics = [...this.#discovered].filter(
      ([id, { uniqueId }]) => this.#registries.entity(platformOf(id), uniqueId)?.deviceId === deviceId,
    )
    return new Set(topics.map(([, { topic }]) => topic))
  }

  /** A message on a discovery topic. */
  hear(payload: Uint8Array, isReplay: boolean, topic: string): void {
    const { log, clock } = this.#hass
    this.announcements.push({ topic, payload: textOf(payload) ?? '', isReplay, at: clock.now() })
    const place = parseConfigTopic(topic, this.#prefix)
    if (!place) log.write('WARNING', `Received message on illegal discovery topic '${topic}'`)
    else if (place.component !== 'device') this.#hearSingle(payload, topic, place)
    else if (payload.length === 0) this.#cleanUp(topic, place)
    else this.#read(payload, isReplay, topic, place)
  }

  /** The user enables an entity; Home Assistant reloads the integration, and so hears its topics anew. */
  enable(entry: RegisteredEntity): void {
    entry.isDisabled = false
    const found = [...this.#discovered].find(
      ([id, { uniqueId }]) => platformOf(id) === entry.platform && uniqueId === entry.uniqueId,
    )
    if (found && !this.live(entry)) this.#raise(entry, componentIn(found[1].sent))
  }

  /** Home Assistant ends: it forgets all but its registries. */
  end(): void {
    for (const entity of this.#live.values()) entity.stop()
    this.#live.clear()
    this.#discovered.clear()
    this.documents.clear()
  }

  #read(payload: Uint8Array, isReplay: boolean, topic: string, place: DiscoveryTopic): void {
    const others = new Map([...this.documents].map(([other, document]) => [other, document.payload]))
    const message = { topic, payload, ...(isReplay && { retain: true }) }
    const findings = judge(message, { ...this.#options, others })
    const isRefused = findings.some(({ level }) => level === 'document')
    this.documents.set(topic, { payload: textOf(payload) ?? '', findings, isRefused })
    for (const finding of findings) this.#logFinding(finding, topic)
    const document = isRefused ? undefined : readDocument(payload)
    if (document) this.#apply(document, topic, place, findings)
  }

  /** What concerns the document; of a component's faults the log tells when it is not applied. */
  #logFinding({ rule, level, message }: Finding, topic: string): void {
    const { log } = this.#hass
    if (level === 'advisory') log.write('WARNING', `${message} (${topic})`)
    if (level !== 'document') return
    if (rule === 'T2') log.write('WARNING', `Unable to parse JSON ${topic}`)
    else if (rule === 'D5')
      log.write('WARNING', `Unable to parse origin information from discovery message: ${message}`)
    else log.write('WARNING', `Invalid MQTT device discovery payload for ${topic}, ${message}`)
  }

  #apply(document: DeviceDocument, topic: string, place: DiscoveryTopic, findings: readonly Finding[]): void {
    const { device, origin } = document.root
    for (const [key, component] of Object.entries(document.components)) {
      if (!isFields(component)) continue
      const id = [component.platform, place.objectId, ...(place.nodeId === undefined ? [] : [place.nodeId]), key].join(
        ' ',
      )
      const known = this.#discovered.get(id)
      if (isTombstone(component)) {
        if (known) this.#remove(id, known)
      } else {
        const sent = { ...withSharedOptions(document.root, component), device, origin }
        if (known && isDeepStrictEqual(known.sent, sent)) continue
        // Whether the id is taken the registry knows better than the judge.
        const fault = findings.find(
          (one) => one.component === key && (one.level === 'component' || (one.level === 'add' && one.rule !== 'C3')),
        )
        if (fault) this.#logFault(fault, topic)
        else if (known) this.#update(id, known, sent)
        else this.#add(id, topic, sent)
      }
    }
  }

  /** A document of one component, of another publisher or of an older one [spec 1.8, 1.12]. */
  #hearSingle(payload: Uint8Array, topic: string, { component, nodeId, objectId }: ConfigTopic): void {
    const { log } = this.#hass
    const id = [component, ...(nodeId === undefined ? [] : [nodeId]), objectId].join(' ')
    const known = this.#discovered.get(id)
    const said = `for ${id}; previously discovered on topic ${known?.topic}, received on topic ${topic}`
    if (known) log.write('WARNING', `Received a conflicting MQTT discovery message ${said}`)
    else if (payload.length > 0) log.write('FAKE', `the fake makes no entity of a document of one component: ${topic}`)
  }

  #logFault({ message }: Finding, topic: string): void {
    this.#hass.log.write('ERROR', `Error '${message}' when processing MQTT discovery message topic: '${topic}'`)
  }

  #add(id: string, topic: string, sent: Fields): void {
    const { log } = this.#hass
    const platform = platformOf(id)
    const uniqueId = String(sent.unique_id)
    if (!PLATFORMS.get(platform)?.entity) {
      log.write('FAKE', `the fake has no ${platform}`)
      return
    }
    if (this.#isTaken(platform, uniqueId)) {
      log.write('ERROR', `Platform mqtt does not generate unique IDs. ID ${uniqueId} already exists - ignoring ${id}`)
      this.duplicates.push({ platform, uniqueId, topic })
      return
    }
    log.write('INFO', `Found new component: ${id}`)
    this.#discovered.set(id, { topic, uniqueId, sent })
    const device = this.#registries.device(sent.device as Fields)
    const entry = this.#registries.register(platform, uniqueId, device, componentIn(sent))
    if (!entry.isDisabled) this.#raise(entry, componentIn(sent))
  }

  #isTaken(platform: string, uniqueId: string): boolean {
    return [...this.#discovered].some(([id, other]) => platformOf(id) === platform && other.uniqueId === uniqueId)
  }

  #raise(entry: RegisteredEntity, fields: Fields): void {
    this.#live.set(`${entry.platform} ${entry.uniqueId}`, new LiveEntity(entry.entityId, fields, this.#hass))
  }

  #update(id: string, known: Discovered, sent: Fields): void {
    this.#hass.log.write('INFO', `Updating component: ${id}`)
    known.sent = sent
    this.#registries.device(sent.device as Fields)
    this.live({ platform: platformOf(id), uniqueId: known.uniqueId })?.update(componentIn(sent))
  }

  #remove(id: string, { uniqueId }: Discovered): void {
    const platform = platformOf(id)
    this.#hass.log.write('INFO', `Removing component: ${id}`)
    this.live({ platform, uniqueId })?.stop()
    this.#live.delete(`${platform} ${uniqueId}`)
    this.#discovered.delete(id)
    const entry = this.#registries.entity(platform, uniqueId)
    if (entry) this.#registries.remove(entry)
  }

  #cleanUp(topic: string, { objectId, nodeId }: DiscoveryTopic): void {
    this.documents.delete(topic)
    const gone = [...this.#discovered].filter(([, discovered]) => discovered.topic === topic)
    if (gone.length === 0)
      this.#hass.log.write('WARNING', `No device components to cleanup for ${objectId}, node_id '${nodeId}'`)
    for (const [id, discovered] of gone) this.#remove(id, discovered)
  }
}

function platformOf(id: string): string {
  return id.slice(0, id.indexOf(' '))
}

/** What Home Assistant keeps of it: keys the platform does not know are dropped, inherited ones too [spec 1.3, 1.6]. */
function componentIn(sent: Fields): Fields {
  const known = PLATFORMS.get(String(sent.platform))?.keys
  return Object.fromEntries(Object.entries(sent).filter(([key]) => known?.has(key)))
}
