import type { Clock } from '../../src/clock.ts'
import { deviceName } from '../../src/device-key.ts'
import { messageOf } from '../../src/errors.ts'
import { Announcement } from '../../src/home-assistant/announcement.ts'
import { Birth } from '../../src/home-assistant/birth.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import { within } from '../../src/within.ts'
import type { PhoneState } from '../pump/phone-state.ts'
import type { ActivityRecord } from '../recognition/activity-record.ts'
import type { PhoneTopics } from '../topics.ts'
import { LivePhone } from './live-phone.ts'
import { phoneDocument } from './phone-document.ts'

export interface PhonesDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly version: string
}

/** The bare words on `availability`, retained. */
export const ONLINE = 'online'
export const OFFLINE = 'offline'

/** A phone that sends is told of at least so often, and not more often than that. */
const STATE_EVERY_MS = 10_000
const LEAST_GAP_MS = 1_000
/** What came longer ago is not how the phone is now: it was in the journal. */
const LIVE_MS = 60_000
/** How long the broker may take to bring back our own word, and with it all that it had retained. */
const REPLAY_MS = 5_000
/** After a device document `state` is told again: an entity that was made meanwhile has heard none. */
const STATE_AFTER_DOCUMENT_MS = 2_000

type PhonesLink = Pick<MqttLink, 'publish' | 'subscribe'>

interface Known {
  readonly device: string
  readonly live: LivePhone
  readonly announcement: Announcement | undefined
  phone: PhoneState
  /** What it has sent once has an entity from then on. */
  readonly sends: { battery: boolean; steps: boolean }
  toldAt: number
}

/** All that Home Assistant sees of the phones: whether the receiver is there, a device for each, and how it is. */
export class Phones {
  readonly #enabled: boolean
  readonly #topics: PhoneTopics
  readonly #deps: PhonesDeps
  readonly #birth: Birth
  readonly #phones = new Map<string, Known>()
  /** Documents the broker holds, of phones not heard yet. */
  readonly #retained = new Map<string, IncomingMessage>()
  #link: PhonesLink | undefined
  /** On this connection all that was retained has come. */
  #settled = false
  #backOnline: () => void = () => undefined

  constructor(enabled: boolean, topics: PhoneTopics, deps: PhonesDeps) {
    this.#enabled = enabled
    this.#topics = topics
    this.#deps = deps
    this.#birth = new Birth(topics.homeAssistantStatus, () => void this.#answerBirth(), deps)
  }

  /** A message has become rows. What lay in the journal for long is no news; `activities` may be of another phone too, whose windows had to go. */
  heard(phone: PhoneState, readings: number, activities: readonly ActivityRecord[]): void {
    const { clock } = this.#deps
    if (clock.now() - phone.heardAt > LIVE_MS) return
    const known = this.#known(phone)
    known.phone = phone
    const own = activities.filter(({ deviceId }) => deviceId === phone.deviceId)
    const changed = known.live.heard(readings, own)
    for (const fact of ['battery', 'steps'] as const) {
      if (known.sends[fact] || phone.facts[fact] === null) continue
      known.sends[fact] = true
      known.announcement?.changed()
    }
    const since = clock.monotonic() - known.toldAt
    if (since >= STATE_EVERY_MS || (changed && since >= LEAST_GAP_MS)) void this.#tell(known)
  }

  /** Nothing is known of it any more; the broker keeps its document, and its values expire. */
  forgot(deviceId: string): void {
    this.#phones.get(deviceId)?.announcement?.close()
    this.#phones.delete(deviceId)
  }

  async connected(link: PhonesLink): Promise<void> {
    this.#link = link
    const { availability, allDiscovery, homeAssistantStatus } = this.#topics
    for (const filter of [availability, ...(this.#enabled ? [allDiscovery, homeAssistantStatus] : [])])
      await this.#listen(link, filter)
    const replayed = new Promise<void>((resolve) => {
      this.#backOnline = resolve
    })
    await this.#publish(availability, ONLINE, true)
    await within(REPLAY_MS, this.#deps.clock, () => replayed)
    if (this.#link !== link) return
    this.#settled = true
    for (const { announcement } of this.#phones.values()) await announcement?.connected(link)
  }

  disconnected(): void {
    this.#link = undefined
    this.#settled = false
    this.#retained.clear()
    for (const { announcement } of this.#phones.values()) announcement?.disconnected()
  }

  /** True when the message was about Home Assistant or the receiver itself. */
  message(message: IncomingMessage): boolean {
    const { topic, payload, retain } = message
    if (this.#birth.message(message)) return true
    if (topic === this.#topics.availability) {
      if (!retain && payload.toString() === ONLINE) this.#backOnline()
      return true
    }
    for (const { announcement } of this.#phones.values()) if (announcement?.message(message)) return true
    const isDocument = topic === this.#topics.discovery(topic.split('/').at(-3) ?? '')
    if (isDocument) this.#retained.set(topic, message)
    return isDocument
  }

  /** The last word on this connection. */
  async leave(): Promise<void> {
    this.close()
    await this.#publish(this.#topics.availability, OFFLINE, true)
    this.#link = undefined
  }

  close(): void {
    this.#birth.close()
    for (const { announcement } of this.#phones.values()) announcement?.close()
  }

  #known(phone: PhoneState): Known {
    const known = this.#phones.get(phone.deviceId)
    if (known !== undefined) return known
    const { clock, version } = this.#deps
    const device = deviceName(phone.deviceId)
    const document = () => phoneDocument(device, fresh.sends, version, this.#topics)
    const onSent = () => void clock.after(STATE_AFTER_DOCUMENT_MS, () => void this.#tell(fresh))
    const announcement = this.#enabled
      ? new Announcement(this.#topics.discovery(device), document, { ...this.#deps, onSent })
      : undefined
    const now = clock.monotonic()
    const sends = { battery: phone.facts.battery !== null, steps: phone.facts.steps !== null }
    const fresh: Known = {
      device,
      live: new LivePhone(now),
      announcement,
      phone,
      sends,
      toldAt: Number.NEGATIVE_INFINITY,
    }
    this.#phones.set(phone.deviceId, fresh)
    const retained = this.#retained.get(this.#topics.discovery(device))
    if (retained !== undefined) announcement?.message(retained)
    if (this.#settled && this.#link !== undefined) void announcement?.connected(this.#link)
    return fresh
  }

  async #answerBirth(): Promise<void> {
    if (this.#link === undefined) return
    await this.#publish(this.#topics.availability, ONLINE, true)
    for (const known of this.#phones.values()) await known.announcement?.born()
  }

  async #tell(known: Known): Promise<void> {
    const { clock } = this.#deps
    if (this.#link === undefined || clock.now() - known.phone.heardAt > LIVE_MS) return
    known.toldAt = clock.monotonic()
    const state = known.live.state(known.toldAt, known.phone)
    await this.#publish(this.#topics.state(known.device), JSON.stringify(state), false)
  }

  async #listen(link: PhonesLink, filter: string): Promise<void> {
    try {
      await link.subscribe([filter])
    } catch (error) {
      // Rows do without it; a broker's access list may well not allow it.
      this.#deps.log.debug({ filter, reason: messageOf(error) }, 'this topic cannot be heard')
    }
  }

  /** What is refused or lost here is told again on the next occasion; no row hangs on it. */
  async #publish(topic: string, payload: string, retain: boolean): Promise<void> {
    try {
      await this.#link?.publish(topic, payload, { retain })
    } catch (error) {
      this.#deps.log.debug({ topic, reason: messageOf(error) }, 'Home Assistant was not told')
    }
  }
}
