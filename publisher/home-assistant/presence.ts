import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { Announcement } from '../../src/home-assistant/announcement.ts'
import { Birth } from '../../src/home-assistant/birth.ts'
import type { HaDocument } from '../../src/home-assistant/document.ts'
import type { Log } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import type { Reading } from '../../src/reading.ts'
import type { Topics } from '../../src/topics.ts'
import { within } from '../../src/within.ts'
import type { Intervals } from '../intervals.ts'
import type { PressEvent } from '../matrix/joystick.ts'
import type { PublishedLight } from '../matrix/light-state.ts'
import { OFFLINE, ONLINE } from './availability.ts'
import { joystickPart } from './controls.ts'
import type { Info } from './info.ts'
import { StatePolicy, stateOf } from './state.ts'
import { TwinWatch } from './twin-watch.ts'

export interface PresenceInput {
  readonly hostname: string
  readonly stream: string
  /** Made anew each time: intervals change. `undefined` where Home Assistant is not wanted. */
  readonly document: (() => HaDocument) | undefined
  readonly intervals: Intervals
  /** Made anew each time: problems and the outbox change. */
  readonly info: () => Info
  /** `undefined` without an LED matrix. */
  readonly led: (() => PublishedLight) | undefined
}

export interface PresenceDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** Counts in `info` are for people; problems are told at once. */
const INFO_EVERY_MS = 60_000
/** How long the broker may take to bring back our own word, and with it all that it had retained. */
const REPLAY_MS = 5_000
/**
 * After the device document `state` is told again: an entity that was made meanwhile has heard none and is unavailable until it
 * does, and one whose `expire_after` is another counts by the old one until then [source]. Once for a quick Home Assistant, and
 * before the shortest old one is over; once for a slow one.
 */
const STATE_AFTER_DOCUMENT_MS = [2_000, 10_000]

type PresenceLink = Pick<MqttLink, 'publish' | 'subscribe'>

/**
 * All that Home Assistant sees of this Pi: availability, device document, `info`, `settings`, `led`, `state` and events. It
 * hears its own topics too: what the broker holds of it, whether what it says arrives, and whether another speaks there.
 */
export class Presence {
  readonly #input: PresenceInput
  readonly #topics: Topics
  readonly #deps: PresenceDeps
  readonly #policy: StatePolicy
  readonly #announcement: Announcement | undefined
  readonly #birth: Birth
  readonly #twins: TwinWatch
  #link: PresenceLink | undefined
  #leaving = false
  #latest: Reading | undefined
  #infoText = ''
  #infoAt = Number.NEGATIVE_INFINITY
  #problems = ''
  #cancelStates: (() => void)[] = []
  /** Called when the broker has brought back that this Pi is online. */
  #backOnline: () => void = () => undefined
  #cancelTwin: (() => void) | undefined
  /** The broker had what this process said last on an earlier connection. */
  #keeps = false

  constructor(input: PresenceInput, topics: Topics, deps: PresenceDeps) {
    this.#input = input
    this.#topics = topics
    this.#deps = deps
    this.#policy = new StatePolicy(input.intervals)
    const { document, hostname } = input
    if (document !== undefined)
      this.#announcement = new Announcement(topics.deviceDiscovery(hostname), document, {
        ...deps,
        onProblem: () => void this.#tellInfoWhenDue(),
        onSent: () => this.#tellStateAgain(),
      })
    this.#birth = new Birth(topics.homeAssistantStatus, () => void this.#answerBirth(), deps)
    this.#twins = new TwinWatch(input.stream, deps)
  }

  /** Sentences, for `info`. */
  get problems(): string[] {
    const { refused } = this.#announcement ?? {}
    return [
      ...(refused === undefined ? [] : ['the broker does not let this Pi announce itself to Home Assistant']),
      ...this.#twins.problems,
    ]
  }

  /** Resolves when this connection has heard what the broker holds, and all is told that it lacks. */
  async connected(link: PresenceLink): Promise<void> {
    this.#link = link
    const { hostname } = this.#input
    const { availability, deviceDiscovery, homeAssistantStatus, info } = this.#topics
    const own = [availability(hostname), info(hostname)]
    const ofHomeAssistant = this.#announcement === undefined ? [] : [deviceDiscovery(hostname), homeAssistantStatus]
    await Promise.all([...own, ...ofHomeAssistant].map((filter) => this.#listen(link, filter)))
    // The broker brings back what it is told after what it had: then the old device document has been heard too.
    const replayed = new Promise<void>((resolve) => {
      this.#backOnline = resolve
    })
    await this.#tellOnline()
    await within(REPLAY_MS, this.#deps.clock, () => replayed)
    if (this.#link !== link) return
    await this.#announcement?.connected(link, this.#keeps)
    await this.#tellAll()
  }

  disconnected(): void {
    this.#link = undefined
    this.#keeps = false
    this.#announcement?.disconnected()
    this.#forgetStates()
  }

  message(message: IncomingMessage): void {
    const { hostname } = this.#input
    const { topic, payload, retain } = message
    if (this.#birth.message(message) || this.#announcement?.message(message)) return
    if (topic === this.#topics.info(hostname)) {
      if (retain) this.#keeps = payload.toString() === this.#infoText
      else if (this.#twins.heard(payload)) this.#answerTwin()
    } else if (topic === this.#topics.availability(hostname)) {
      // What was retained before is not our word of this connection.
      if (payload.toString() === ONLINE) {
        if (!retain) this.#backOnline()
      }
      // The Will of an earlier life, which the broker gave up on only now; or a twin that went.
      else if (!retain && !this.#leaving) void this.#tellOnline()
    }
  }

  async taken(reading: Reading): Promise<void> {
    this.#latest = reading
    if (!this.#link) return
    const due = this.#policy.due(reading, this.#deps.clock.monotonic())
    await Promise.all([...(due ? [this.#tellState(reading)] : []), this.#tellInfoWhenDue()])
  }

  /** The intervals in force are others. */
  async intervalsChanged(): Promise<void> {
    this.#announcement?.changed()
    await Promise.all([this.tellSettings(), this.#tellLatest()])
  }

  async tellSettings(): Promise<void> {
    const { hostname, intervals } = this.#input
    await this.#publish(this.#topics.settings(hostname), JSON.stringify(intervals.current), true)
  }

  async tellLight(): Promise<void> {
    const { hostname, led } = this.#input
    if (led !== undefined) await this.#publish(this.#topics.led(hostname), JSON.stringify(led()), true)
  }

  async tellPress({ direction, event_type }: PressEvent): Promise<void> {
    const topic = this.#topics.event(this.#input.hostname, joystickPart(direction))
    await this.#publish(topic, JSON.stringify({ event_type }), false)
  }

  /** The last word on this connection. */
  async leave(): Promise<void> {
    this.close()
    this.#forgetStates()
    await this.#publish(this.#topics.availability(this.#input.hostname), OFFLINE, true)
    this.#link = undefined
  }

  /** Nothing is said any more by itself. */
  close(): void {
    this.#leaving = true
    this.#birth.close()
    this.#cancelTwin?.()
    this.#announcement?.close()
  }

  async #listen(link: PresenceLink, filter: string): Promise<void> {
    try {
      await link.subscribe([filter])
    } catch (error) {
      // Readings do without it; a broker's access list may well not allow it.
      this.#deps.log.debug({ filter, reason: messageOf(error) }, 'this topic cannot be heard')
    }
  }

  async #tellOnline(): Promise<void> {
    await this.#publish(this.#topics.availability(this.#input.hostname), ONLINE, true)
  }

  async #tellAll(): Promise<void> {
    await Promise.all([this.#tellInfo(), this.tellSettings(), this.tellLight(), this.#tellLatest()])
  }

  #tellStateAgain(): void {
    this.#forgetStates()
    this.#cancelStates = STATE_AFTER_DOCUMENT_MS.map((ms) => this.#deps.clock.after(ms, () => void this.#tellLatest()))
  }

  #forgetStates(): void {
    for (const cancel of this.#cancelStates.splice(0)) cancel()
  }

  async #tellLatest(): Promise<void> {
    if (this.#latest !== undefined) await this.#tellState(this.#latest)
  }

  async #answerBirth(): Promise<void> {
    if (!this.#link || this.#leaving) return
    await this.#announcement?.born()
    await this.#tellOnline()
    await this.#tellAll()
  }

  /** A twin is told of us again and again, until it is gone: it hears of us in no other way. */
  #answerTwin(): void {
    void this.#tellInfoWhenDue()
    this.#cancelTwin ??= this.#deps.clock.after(INFO_EVERY_MS, () => {
      this.#cancelTwin = undefined
      if (this.#link === undefined || this.#leaving) return
      const isThere = this.#twins.problems.length > 0
      void this.#tellInfo()
      if (isThere) this.#answerTwin()
    })
  }

  async #tellState(reading: Reading): Promise<void> {
    this.#policy.told(reading, this.#deps.clock.monotonic())
    await this.#publish(this.#topics.state(this.#input.hostname), JSON.stringify(stateOf(reading)), false)
  }

  async #tellInfoWhenDue(): Promise<void> {
    const info = this.#input.info()
    const now = this.#deps.clock.monotonic()
    const problemsChanged = info.problems.join() !== this.#problems
    if (!problemsChanged && now - this.#infoAt < INFO_EVERY_MS) return
    if (JSON.stringify(info) !== this.#infoText) await this.#tellInfo()
    else this.#infoAt = now
  }

  async #tellInfo(): Promise<void> {
    const info = this.#input.info()
    this.#infoText = JSON.stringify(info)
    this.#infoAt = this.#deps.clock.monotonic()
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
