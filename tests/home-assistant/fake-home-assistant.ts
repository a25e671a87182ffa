import { type HaClock, machineClock } from './clock.ts'
import { assumedOf, commandOf, type LightCommand, lightOffOf, lightOnOf, numberWithin, optionOf } from './commands.ts'
import { type Announcement, Discovery, type Duplicate } from './discovery.ts'
import { HaLog, type HaLogLine } from './ha-log.ts'
import type { JudgeOptions } from './judge/case.ts'
import { availabilityOf } from './judge/document.ts'
import type { Fields, Finding } from './judge/finding.ts'
import { SUPPORTED_COMPONENTS } from './judge/tables/platforms.ts'
import type { Hass, LiveEntity } from './live-entity.ts'
import { MqttSession, type Publication } from './mqtt-session.ts'
import { type RegisteredEntity, Registries } from './registries.ts'

export interface FakeHomeAssistantOptions {
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** The discovery prefix. */
  readonly prefix?: string
  /** 5 as Home Assistant of 2026, or 4 for brokers that have only MQTT 3.1.1. */
  readonly protocolVersion?: 4 | 5
  /** Users may have it retained, on another topic, or not at all (`null`). */
  readonly birth?: { readonly topic: string; readonly retain: boolean } | null
  /** For `expire_after` and for when things were. The rest waits for the broker in real time. */
  readonly clock?: HaClock
  /** So long there must be nothing new to discover before Home Assistant says that it is there. Some seconds in reality. */
  readonly settleMs?: number
  readonly reconnectMs?: number
  /** What the judge is told of the publishers. */
  readonly judge?: Omit<JudgeOptions, 'prefix' | 'others'>
}

/** A device as its page shows it. */
export interface HaDevice {
  readonly identifiers: readonly string[]
  /** `type value`. */
  readonly connections: readonly string[]
  /** Name, manufacturer, model, versions … */
  readonly details: Fields
  /** Of the device it is connected via. */
  readonly viaIdentifiers: readonly string[] | undefined
  readonly entities: readonly HaEntity[]
}

export interface HaEntity {
  readonly platform: string
  readonly uniqueId: string
  readonly entityId: string
  readonly isDisabled: boolean
  /** `unavailable` and `restored` when no document speaks of it any more; absent when it is disabled. */
  readonly state: string | undefined
  readonly attributes: Fields
  /** What it was announced with, inherited options included. */
  readonly fields: Fields
}

/**
 * As much of Home Assistant as a device document meets, over a real broker: it discovers, remembers, shows states and
 * gives commands [spec 1.1 to 1.16]. It knows nothing of the product. What it does not know of Home Assistant it says in
 * its log (`FAKE`), so that no test passes because of that.
 */
export class FakeHomeAssistant {
  readonly #options: FakeHomeAssistantOptions
  readonly #prefix: string
  readonly #birth: { readonly topic: string; readonly retain: boolean } | null
  readonly #log: HaLog
  readonly #registries = new Registries()
  readonly #session: MqttSession
  readonly #discovery: Discovery
  readonly #looks = new Set<() => void>()
  #run = 0
  #births = 0

  constructor(options: FakeHomeAssistantOptions) {
    const { prefix = 'homeassistant', clock = machineClock(), protocolVersion = 5, reconnectMs = 100 } = options
    this.#options = options
    this.#prefix = prefix
    this.#birth = options.birth === undefined ? { topic: `${prefix}/status`, retain: false } : options.birth
    this.#log = new HaLog(() => clock.now())
    const will = this.#birth ? ([this.#birth.topic, 'offline'] as const) : undefined
    this.#session = new MqttSession({ ...options, protocolVersion, reconnectMs, will }, (connected) =>
      this.#connectionChanged(connected),
    )
    const hass: Hass = { session: this.#session, clock, log: this.#log, changed: () => this.#changed() }
    this.#discovery = new Discovery(hass, this.#registries, prefix, options.judge ?? {})
  }

  /** Settles when it has said that it is there: its subscriptions stand and nothing new has been discovered for a while. */
  async start(): Promise<void> {
    this.#run++
    const births = this.#births
    for (const component of [...SUPPORTED_COMPONENTS, 'device'])
      for (const ids of ['+', '+/+'])
        this.#session.listen(`${this.#prefix}/${component}/${ids}/config`, 0, (payload, retained, topic) => {
          this.#discovery.hear(payload, retained, topic)
          this.#changed()
        })
    this.#session.open()
    await this.until('Home Assistant is up', () => this.#births > births, 10_000)
  }

  /** A clean end: it says so, and keeps nothing but its registries. */
  async stop(): Promise<void> {
    this.#run++
    if (this.#birth && this.#session.connected)
      await this.#session.publish({ ...this.#birth, payload: 'offline', qos: 0 })
    this.#discovery.end()
    await this.#session.close()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Its machine dies: the broker publishes the Will. `start` brings it back. */
  async crash(): Promise<void> {
    this.#run++
    this.#discovery.end()
    await this.#session.crash()
  }

  /** Everything it has written, over all restarts. */
  get log(): readonly HaLogLine[] {
    return this.#log.lines
  }

  /** Warnings, errors, and what the fake cannot do. A publisher that is right causes none. */
  problems(): readonly HaLogLine[] {
    return this.#log.problems()
  }

  /** What the judge has to say of the documents it knows now, by topic; also what Home Assistant would not mind. */
  findings(): ReadonlyMap<string, readonly Finding[]> {
    return new Map([...this.#discovery.documents].map(([topic, { findings }]) => [topic, findings]))
  }

  /** Every message on a discovery topic there was, the oldest first. */
  announcements(): readonly Announcement[] {
    return this.#discovery.announcements
  }

  /** Entities that were refused because their id was taken. */
  duplicates(): readonly Duplicate[] {
    return this.#discovery.duplicates
  }

  /** Topics of documents of whose entities none was ever said to be available since the start: devices that are no more. */
  ghosts(): readonly string[] {
    return [...this.#discovery.documents.keys()].filter((topic) => {
      const entities = this.#discovery.liveOf(topic).filter(({ fields }) => availabilityOf(fields).length > 0)
      return entities.length > 0 && !entities.some(({ wasToldAvailable }) => wasToldAvailable)
    })
  }

  devices(): readonly HaDevice[] {
    const { devices, entities } = this.#registries
    return [...devices.values()].map(({ id, identifiers, connections, details, viaDeviceId }) => ({
      identifiers: [...identifiers],
      connections: [...connections],
      details,
      viaIdentifiers: viaDeviceId === undefined ? undefined : [...(devices.get(viaDeviceId)?.identifiers ?? [])],
      entities: entities.filter(({ deviceId }) => deviceId === id).map((entry) => this.#view(entry)),
    }))
  }

  entities(): readonly HaEntity[] {
    return this.#registries.entities.map((entry) => this.#view(entry))
  }

  /** The entity, if there is one. An id two platforms use needs the platform. */
  entity(uniqueId: string, platform?: string): HaEntity | undefined {
    const entry = this.#find(uniqueId, platform)
    return entry && this.#view(entry)
  }

  /** As its card shows it: `unavailable`, `unknown` or its value. Nothing when there is no such entity, or it is disabled. */
  state(uniqueId: string, platform?: string): string | undefined {
    return this.entity(uniqueId, platform)?.state
  }

  attributes(uniqueId: string, platform?: string): Fields {
    return this.entity(uniqueId, platform)?.attributes ?? {}
  }

  /** Settles as soon as `look` gives true; it is asked after everything that changes. */
  until(what: string, look: () => boolean, deadlineMs = 5_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const again = () => {
        if (!look()) return
        clearTimeout(timer)
        this.#looks.delete(again)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#looks.delete(again)
        reject(new Error(`not within ${deadlineMs} ms: ${what}\n${this.#tail()}`))
      }, deadlineMs)
      this.#looks.add(again)
      again()
    })
  }

  /** The user presses a button. */
  async press(uniqueId: string): Promise<void> {
    const entity = this.#commanded(uniqueId, 'button')
    await this.#session.publish(commandOf(entity.fields, String(entity.fields.payload_press ?? 'PRESS')))
  }

  async setNumber(uniqueId: string, value: number): Promise<void> {
    const entity = this.#commanded(uniqueId, 'number')
    await this.#command(entity, commandOf(entity.fields, numberWithin(entity.fields, value)), String(value))
  }

  async selectOption(uniqueId: string, option: string): Promise<void> {
    const entity = this.#commanded(uniqueId, 'select')
    await this.#command(entity, commandOf(entity.fields, optionOf(entity.fields, option)), option)
  }

  async setText(uniqueId: string, text: string): Promise<void> {
    const entity = this.#commanded(uniqueId, 'text')
    await this.#command(entity, commandOf(entity.fields, text), text)
  }

  async turnOn(uniqueId: string, command: LightCommand = {}): Promise<void> {
    const entity = this.#commanded(uniqueId, 'light', 'switch')
    const { fields, platform } = entity
    const publication =
      platform === 'light' ? lightOnOf(fields, command) : commandOf(fields, String(fields.payload_on ?? 'ON'))
    await this.#command(entity, publication, 'on', platform === 'light' ? assumedOf(command) : {})
  }

  async turnOff(uniqueId: string): Promise<void> {
    const entity = this.#commanded(uniqueId, 'light', 'switch')
    const { fields, platform } = entity
    const publication =
      platform === 'light' ? lightOffOf(fields) : commandOf(fields, String(fields.payload_off ?? 'OFF'))
    await this.#command(entity, publication, 'off')
  }

  /** The action `notify.send_message`. */
  async notify(uniqueId: string, message: string): Promise<void> {
    await this.#session.publish(commandOf(this.#commanded(uniqueId, 'notify').fields, message))
  }

  /** The user enables an entity that came disabled. */
  enable(uniqueId: string, platform?: string): void {
    const entry = this.#find(uniqueId, platform)
    if (!entry) throw new Error(`there is no entity ${uniqueId}`)
    this.#discovery.enable(entry)
    this.#changed()
  }

  /** The user deletes a device: Home Assistant empties its discovery topics, and all forget it [spec 1.8]. */
  async deleteDevice(identifier: string): Promise<void> {
    const device = [...this.#registries.devices.values()].find(({ identifiers }) => identifiers.has(identifier))
    if (!device) throw new Error(`there is no device ${identifier}`)
    for (const topic of this.#discovery.topicsOf(device.id))
      await this.#session.publish({ topic, payload: '', qos: 0, retain: true })
    await this.until(`${identifier} is gone`, () => this.#discovery.topicsOf(device.id).size === 0)
    this.#registries.removeDevice(device.id)
    this.#changed()
  }

  #commanded(uniqueId: string, ...platforms: readonly string[]): LiveEntity {
    const entry = this.#registries.entities.find((one) => one.uniqueId === uniqueId && platforms.includes(one.platform))
    const entity = entry && this.#discovery.live(entry)
    if (!entity) throw new Error(`there is no ${platforms.join(' or ')} ${uniqueId}, or it is disabled`)
    if (!entity.available) throw new Error(`${entity.entityId} is unavailable: Home Assistant sends it nothing`)
    return entity
  }

  async #command(entity: LiveEntity, publication: Publication, state: string, attributes: Fields = {}): Promise<void> {
    await this.#session.publish(publication)
    if (entity.isOptimistic) entity.assume(state, attributes)
  }

  #find(uniqueId: string, platform: string | undefined): RegisteredEntity | undefined {
    const found = this.#registries.entities.filter(
      (entry) => entry.uniqueId === uniqueId && (platform === undefined || entry.platform === platform),
    )
    if (found.length > 1) throw new Error(`${uniqueId} is a ${found.map((one) => one.platform).join(' and a ')}`)
    return found[0]
  }

  #view(entry: RegisteredEntity): HaEntity {
    const { platform, uniqueId, entityId, isDisabled } = entry
    const live = this.#discovery.live(entry)
    const orphan = isDisabled ? undefined : 'unavailable'
    return {
      platform,
      uniqueId,
      entityId,
      isDisabled,
      state: live ? live.state : orphan,
      attributes: live?.attributes ?? (isDisabled ? {} : { restored: true }),
      fields: live?.fields ?? {},
    }
  }

  #connectionChanged(connected: boolean): void {
    this.#changed()
    if (connected) void this.#sayBirth()
  }

  /** After every CONNACK, once nothing new comes [spec 1.11]. */
  async #sayBirth(): Promise<void> {
    const run = this.#run
    const { settleMs = 100 } = this.#options
    for (let isQuiet = false; !isQuiet; ) {
      const { length } = this.announcements()
      const wasSubscribed = this.#session.subscribed
      await new Promise((resolve) => setTimeout(resolve, settleMs))
      if (run !== this.#run || !this.#session.connected) return
      isQuiet = wasSubscribed && this.#session.subscribed && this.announcements().length === length
    }
    if (this.#birth) await this.#session.publish({ ...this.#birth, payload: 'online', qos: 0 }).catch(() => undefined)
    this.#births++
    this.#changed()
  }

  #changed(): void {
    for (const look of [...this.#looks]) look()
  }

  /** For a person who reads why a test has failed. */
  #tail(): string {
    const states = this.entities().map(({ entityId, state }) => `  ${entityId}: ${state ?? 'disabled'}`)
    const lines = this.#log.lines.slice(-20).map(({ level, message }) => `  ${level} ${message}`)
    return ['entities:', ...states, 'log:', ...lines].join('\n')
  }
}
