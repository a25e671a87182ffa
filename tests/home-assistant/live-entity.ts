import type { HaClock } from './clock.ts'
import type { HaLog } from './ha-log.ts'
import { availabilityOf, textOf } from './judge/document.ts'
import { type Fields, isFields } from './judge/finding.ts'
import type { MqttSession } from './mqtt-session.ts'
import { type Outcome, PLATFORM_STATES } from './platform-states.ts'
import { render, TemplateError } from './templates/render.ts'
import { parseTemplate, UnknownTemplate } from './templates/syntax.ts'

/** Home Assistant, as its parts call it: what they need of one another. */
export interface Hass {
  readonly session: MqttSession
  readonly clock: HaClock
  readonly log: HaLog
  /** Called after everything that may have changed a state. */
  readonly changed: () => void
}

/** Attributes that would shadow Home Assistant's own: dropped without a word [spec 1.6]. */
const BLOCKED_ATTRIBUTES = new Set(
  (
    'assumed_state available device_class device_info entity_category entity_picture extra_state_attributes ' +
    'force_update friendly_name icon should_poll state supported_features unique_id unit_of_measurement'
  ).split(' '),
)

/** An entity that is up: it listens, and has a state. A restart of Home Assistant makes a new one. */
export class LiveEntity {
  readonly platform: string
  readonly entityId: string
  /** Once, since this entity is up, its availability topics have said so. Always, when it has none. */
  wasToldAvailable = false
  readonly #hass: Hass
  #fields: Fields
  #value: string | null = null
  #attributes: Fields = {}
  #jsonAttributes: Fields = {}
  readonly #isTopicAvailable = new Map<string, boolean>()
  #isLatestAvailable = false
  #isExpired: boolean
  #cancelExpiry: () => void = () => undefined
  #cancelOff: () => void = () => undefined
  readonly #listening = new Map<string, { readonly signature: string; readonly stop: () => void }>()

  /** `fields` with what is inherited. Listens at once. */
  constructor(entityId: string, fields: Fields, hass: Hass) {
    this.platform = String(fields.platform)
    this.entityId = entityId
    this.#hass = hass
    this.#fields = fields
    this.#isExpired = this.#expireAfterSeconds > 0
    this.#listen()
  }

  get fields(): Fields {
    return this.#fields
  }

  /** `unavailable`, `unknown`, or what it is. */
  get state(): string {
    return this.available ? (this.#value ?? 'unknown') : 'unavailable'
  }

  get attributes(): Fields {
    return { ...this.#jsonAttributes, ...this.#attributes }
  }

  /** Spec 1.10. */
  get available(): boolean {
    return this.#hass.session.connected && this.#isAvailableByTopics && !this.#isExpired
  }

  /** A changed document: what it has heard stays, and so does what it listens to if the topic is the same [spec 1.8]. */
  update(fields: Fields): void {
    this.#fields = fields
    this.#listen()
  }

  /** Home Assistant believes its own command. */
  assume(value: string, attributes: Fields = {}): void {
    this.#set({ value, attributes })
  }

  /** No state topic, or told not to wait for it [spec 1.13]. */
  get isOptimistic(): boolean {
    return this.#fields.optimistic === true || this.#fields.state_topic === undefined
  }

  stop(): void {
    this.#cancelExpiry()
    this.#cancelOff()
    for (const { stop } of this.#listening.values()) stop()
    this.#listening.clear()
  }

  get #isAvailableByTopics(): boolean {
    const topics = availabilityOf(this.#fields).map(({ topic }) => String(topic))
    if (topics.length === 0) return true
    const isAvailable = (topic: string) => this.#isTopicAvailable.get(topic) ?? false
    if (this.#fields.availability_mode === 'all') return topics.every(isAvailable)
    if (this.#fields.availability_mode === 'any') return topics.some(isAvailable)
    return this.#isLatestAvailable
  }

  get #expireAfterSeconds(): number {
    return Number(this.#fields.expire_after ?? 0)
  }

  #listen(): void {
    const { state_topic, json_attributes_topic } = this.#fields
    const wanted = new Map<string, readonly [topic: string, hear: (text: string, retained: boolean) => void]>()
    for (const { topic } of availabilityOf(this.#fields))
      wanted.set(`availability ${topic}`, [String(topic), (text) => this.#hearAvailability(String(topic), text)])
    if (state_topic !== undefined && PLATFORM_STATES.has(this.platform))
      wanted.set('state', [String(state_topic), (text, retained) => this.#hearState(text, retained)])
    if (json_attributes_topic !== undefined)
      wanted.set('attributes', [String(json_attributes_topic), (text) => this.#hearAttributes(text)])
    const qos = Number(this.#fields.qos ?? 0) as 0 | 1 | 2
    for (const [name, { signature, stop }] of this.#listening) {
      const now = wanted.get(name)
      if (now && signature === `${now[0]} ${qos}`) continue
      stop()
      this.#listening.delete(name)
    }
    for (const [name, [topic, hear]] of wanted) {
      if (this.#listening.has(name)) continue
      const listener = (payload: Uint8Array, retained: boolean) => this.#hear(topic, payload, retained, hear)
      const stop = this.#hass.session.listen(topic, qos, listener)
      this.#listening.set(name, { signature: `${topic} ${qos}`, stop })
    }
    this.#noteAvailability()
  }

  #hear(topic: string, payload: Uint8Array, retained: boolean, hear: (text: string, retained: boolean) => void): void {
    const { log, changed } = this.#hass
    const text = textOf(payload)
    if (this.#fields.encoding !== undefined && this.#fields.encoding !== 'utf-8')
      log.write('FAKE', `the encoding '${this.#fields.encoding}' is unknown to the fake`)
    else if (text === undefined) log.write('WARNING', `Can't decode payload on ${topic} with encoding utf-8`)
    else hear(text, retained)
    changed()
  }

  #hearAvailability(topic: string, text: string): void {
    const entry = availabilityOf(this.#fields).find((one) => one.topic === topic)
    const said = entry && this.#rendered(entry.value_template, text)
    // Equality to the letter; anything else is ignored.
    if (said === (entry?.payload_available ?? 'online')) this.#setAvailable(topic, true)
    else if (said === (entry?.payload_not_available ?? 'offline')) this.#setAvailable(topic, false)
  }

  #setAvailable(topic: string, isAvailable: boolean): void {
    this.#isTopicAvailable.set(topic, isAvailable)
    this.#isLatestAvailable = isAvailable
    this.#noteAvailability()
  }

  #noteAvailability(): void {
    if (this.#isAvailableByTopics) this.wasToldAvailable = true
  }

  #hearState(payload: string, retained: boolean): void {
    const seconds = this.#expireAfterSeconds
    if (seconds > 0) {
      this.#isExpired = false
      this.#cancelExpiry()
      this.#cancelExpiry = this.#hass.clock.after(seconds * 1000, () => {
        this.#isExpired = true
        this.#hass.changed()
      })
    }
    const text = this.#rendered(this.#fields.value_template, payload)
    const interpret = PLATFORM_STATES.get(this.platform)
    if (text === undefined || !interpret) return
    const { entityId, platform } = this
    const topic = String(this.#fields.state_topic)
    this.#set(interpret({ entityId, topic, fields: this.#fields, text, retained, at: this.#hass.clock.now() }))
    if (platform === 'binary_sensor' && this.#fields.off_delay !== undefined) this.#turnOffLater()
  }

  #turnOffLater(): void {
    this.#cancelOff()
    if (this.#value !== 'on') return
    this.#cancelOff = this.#hass.clock.after(Number(this.#fields.off_delay) * 1000, () => {
      this.#set({ value: 'off' })
    })
  }

  #hearAttributes(payload: string): void {
    const text = this.#rendered(this.#fields.json_attributes_template, payload)
    if (text === undefined) return
    let sent: unknown
    try {
      sent = JSON.parse(text)
    } catch {
      this.#hass.log.write('WARNING', `Erroneous JSON: ${text}`)
      return
    }
    if (isFields(sent))
      this.#jsonAttributes = Object.fromEntries(Object.entries(sent).filter(([key]) => !BLOCKED_ATTRIBUTES.has(key)))
    else this.#hass.log.write('WARNING', 'JSON result was not a dictionary')
  }

  #set({ value, attributes, log }: Outcome): void {
    if (value !== undefined) this.#value = value
    if (attributes) this.#attributes = { ...this.#attributes, ...attributes }
    if (log) this.#hass.log.write(...log)
    this.#hass.changed()
  }

  /** What the template makes of it; nothing when it raises, which the log tells. */
  #rendered(template: unknown, payload: string): string | undefined {
    if (template === undefined) return payload
    const { log } = this.#hass
    try {
      const { text, warnings } = render(parseTemplate(String(template)), payload)
      for (const warning of warnings) log.write('WARNING', warning)
      return text
    } catch (error) {
      if (error instanceof TemplateError)
        log.write('ERROR', `Template error for ${this.entityId}: ${error.message} (value: ${payload}, ${template})`)
      else if (error instanceof UnknownTemplate)
        log.write('FAKE', `a template of ${this.entityId} is unknown to the fake: ${error.message}`)
      else throw error
      return undefined
    }
  }
}
