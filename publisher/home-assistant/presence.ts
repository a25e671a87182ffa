import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { HaDocument } from '../../src/home-assistant/document.ts'
import { encodeHaDocument } from '../../src/home-assistant/encode.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { Reading } from '../../src/reading.ts'
import type { Topics } from '../../src/topics.ts'
import { OFFLINE, ONLINE } from './availability.ts'
import type { CurrentSettings, Info } from './info.ts'
import { StatePolicy, stateOf } from './state.ts'

export interface PresenceInput {
  readonly hostname: string
  readonly document: HaDocument
  readonly settings: CurrentSettings
  /** Made anew each time: problems and the outbox change. */
  readonly info: () => Info
  readonly stateIntervalMs: number
  readonly readingIntervalMs: number
}

/** Counts in `info` are for people; problems are told at once. */
const INFO_EVERY_MS = 60_000
/** After Home Assistant's birth each Pi waits for its own while, seconds, so that a fleet does not answer at once. */
const BIRTH_PAUSE_MS = { least: 1_000, most: 30_000 }

type PresenceLink = Pick<MqttLink, 'publish' | 'subscribe'>

/** All that Home Assistant sees of this Pi: availability, discovery, `info`, `settings` and `state`. */
export class Presence {
  readonly #input: PresenceInput
  readonly #topics: Topics
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly random: () => number }
  readonly #policy: StatePolicy
  readonly #closing = new AbortController()
  #link: PresenceLink | undefined
  #latest: Reading | undefined
  #infoText = ''
  #infoAt = Number.NEGATIVE_INFINITY
  #problems = ''
  #birthAnswer: Promise<void> | undefined

  constructor(
    input: PresenceInput,
    topics: Topics,
    deps: { readonly clock: Clock; readonly log: Log; readonly random: () => number },
  ) {
    this.#input = input
    this.#topics = topics
    this.#deps = deps
    this.#policy = new StatePolicy(input.stateIntervalMs, input.readingIntervalMs / 2)
  }

  /** Discovery first, so that Home Assistant knows the entities when their availability arrives. */
  async connected(link: PresenceLink): Promise<void> {
    this.#link = link
    await this.#announce()
    try {
      await link.subscribe([this.#topics.homeAssistantStatus])
    } catch (error) {
      // Retained messages do without it; a broker's access list may well not allow it.
      this.#deps.log.debug({ reason: messageOf(error) }, "Home Assistant's birth cannot be heard")
    }
  }

  disconnected(): void {
    this.#link = undefined
  }

  message({ topic, payload }: IncomingMessage): void {
    if (topic !== this.#topics.homeAssistantStatus || payload.toString() !== 'online') return
    // A birth within the pause is answered by the same announcement.
    this.#birthAnswer ??= this.#answerBirth()
  }

  async taken(reading: Reading): Promise<void> {
    this.#latest = reading
    const now = this.#deps.clock.monotonic()
    if (!this.#link) return
    const told: Promise<void>[] = []
    if (this.#policy.due(reading, now)) told.push(this.#tellState(reading, now))
    told.push(this.#tellInfoWhenDue(now))
    await Promise.all(told)
  }

  /** The last word on this connection. */
  async leave(): Promise<void> {
    this.#closing.abort()
    await this.#publish(this.#topics.availability(this.#input.hostname), OFFLINE, true)
    this.#link = undefined
  }

  async #announce(): Promise<void> {
    const { hostname, document, settings } = this.#input
    const now = this.#deps.clock.monotonic()
    // Begun in this order, and the link keeps it; the broker's answers may come together.
    await Promise.all([
      this.#publish(this.#topics.deviceDiscovery(hostname), encodeHaDocument(document), true),
      this.#tellInfo(now),
      this.#publish(this.#topics.settings(hostname), JSON.stringify(settings), true),
      this.#publish(this.#topics.availability(hostname), ONLINE, true),
      ...(this.#latest ? [this.#tellState(this.#latest, now)] : []),
    ])
  }

  async #answerBirth(): Promise<void> {
    const { least, most } = BIRTH_PAUSE_MS
    const pause = least + (most - least) * this.#deps.random()
    await this.#deps.clock.sleep(pause, this.#closing.signal).catch(() => undefined)
    this.#birthAnswer = undefined
    if (this.#link && !this.#closing.signal.aborted) await this.#announce()
  }

  async #tellState(reading: Reading, now: number): Promise<void> {
    this.#policy.told(reading, now)
    await this.#publish(this.#topics.state(this.#input.hostname), JSON.stringify(stateOf(reading)), false)
  }

  async #tellInfoWhenDue(now: number): Promise<void> {
    const info = this.#input.info()
    const problemsChanged = info.problems.join() !== this.#problems
    if (!problemsChanged && now - this.#infoAt < INFO_EVERY_MS) return
    if (JSON.stringify(info) !== this.#infoText) await this.#tellInfo(now)
    else this.#infoAt = now
  }

  async #tellInfo(now: number): Promise<void> {
    const info = this.#input.info()
    this.#infoText = JSON.stringify(info)
    this.#infoAt = now
    this.#problems = info.problems.join()
    await this.#publish(this.#topics.info(this.#input.hostname), this.#infoText, true)
  }

  /** What is refused or lost here is told again on the next occasion; no reading hangs on it. */
  async #publish(topic: string, payload: string, retain: boolean): Promise<void> {
    try {
      await this.#link?.publish(topic, payload, { retain })
    } catch (error) {
      this.#deps.log.debug({ topic, reason: messageOf(error) }, 'Home Assistant was not told')
    }
  }
}
