import type { Clock } from '../clock.ts'
import { messageOf, SnowhatError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { HaComponent, HaDocument, HaTombstone } from './document.ts'
import { encodeHaDocument } from './encode.ts'

/** Between two versions: Home Assistant may still be at work on components of the first, and skips those of the second [source]. */
const BETWEEN_VERSIONS_MS = 5_000
/** For the same reason a version from around Home Assistant's start is said once more. */
const AROUND_BIRTH_MS = 60_000
/** How long the broker may take to bring back what it was told. */
const ECHO_MS = 10_000

/** How a document gets to the broker. */
export interface Announcer {
  publish(topic: string, payload: string, options: { retain: true }): Promise<void>
}

export interface AnnouncementDeps {
  readonly clock: Clock
  readonly log: Log
  /** Whether it is refused has changed. */
  readonly onProblem?: () => void
  /** The broker has taken it: Home Assistant is about to make entities, or to change them. */
  readonly onSent?: () => void
}

/**
 * One retained device document, and its manners: it is sent when the broker does not hold it or it has changed, and after
 * Home Assistant's birth; never by a timer. What the broker still holds of components that are gone is buried by
 * tombstones. Emptied by somebody else it was deleted in Home Assistant, and is not sent again by this process.
 *
 * Who owns it listens to its topic, passes on what comes there, and calls `connected` when all that was retained has come.
 */
export class Announcement {
  readonly topic: string
  readonly #document: () => HaDocument
  readonly #deps: AnnouncementDeps
  readonly #tombstones = new Map<string, HaTombstone>()
  #announcer: Announcer | undefined
  /** What the broker holds, as far as this connection has heard. */
  #held: string | undefined
  #sent: string | undefined
  #sentAt = Number.NEGATIVE_INFINITY
  #bornAt = Number.NEGATIVE_INFINITY
  #removed = false
  #refused: string | undefined
  #cancelVersion: (() => void) | undefined
  #cancelAgain: (() => void) | undefined
  #cancelEcho: (() => void) | undefined

  constructor(topic: string, document: () => HaDocument, deps: AnnouncementDeps) {
    this.topic = topic
    this.#document = document
    this.#deps = deps
  }

  /** Somebody has deleted the device in Home Assistant. */
  get removed(): boolean {
    return this.#removed
  }

  /** Why nobody gets the document; `undefined` when all is well. */
  get refused(): string | undefined {
    return this.#refused
  }

  /** True when the message was about this document. `retain`: the broker held it before we came. */
  message({ topic, payload, retain }: { topic: string; payload: Buffer; retain: boolean }): boolean {
    if (topic !== this.topic) return false
    const text = payload.toString('utf8')
    this.#held = text
    if (retain) this.#bury(text)
    else if (text === '') this.#deletedBySomebody()
    else if (text === this.#sent) this.#hasArrived()
    return true
  }

  /**
   * All retained messages of this connection have come. `keeps`: the broker still has other things this process has said, so
   * a document that is gone was not lost with them: somebody has deleted the device while nobody listened.
   */
  async connected(announcer: Announcer, keeps = false): Promise<void> {
    this.#announcer = announcer
    const wasThere = this.#sent !== undefined && this.#refused === undefined
    if (this.#held === undefined && wasThere && keeps) this.#deletedBySomebody()
    const text = this.#text()
    if (this.#held === text) {
      // Home Assistant has that version: said once more after a birth, it is no new one.
      this.#sent = text
      this.#hasArrived()
    } else if (!this.#removed) await this.#send()
  }

  disconnected(): void {
    this.#announcer = undefined
    this.#held = undefined
    this.close()
  }

  /** Home Assistant has started, and its pause is over. */
  async born(): Promise<void> {
    this.#bornAt = this.#deps.clock.monotonic()
    if (!this.#removed) await this.#send()
  }

  /** The document may be another one now. */
  changed(): void {
    if (this.#announcer === undefined || this.#removed || this.#cancelVersion !== undefined) return
    const { clock } = this.#deps
    const wait = Math.max(BETWEEN_VERSIONS_MS, this.#sentAt + BETWEEN_VERSIONS_MS - clock.monotonic())
    this.#cancelVersion = clock.after(wait, () => {
      this.#cancelVersion = undefined
      if (this.#held !== this.#text()) void this.#send()
    })
  }

  close(): void {
    for (const cancel of [this.#cancelVersion, this.#cancelAgain, this.#cancelEcho]) cancel?.()
    this.#cancelVersion = undefined
    this.#cancelAgain = undefined
    this.#cancelEcho = undefined
  }

  #text(): string {
    const document = this.#document()
    const gone = [...this.#tombstones].filter(([key]) => !(key in document.components))
    return encodeHaDocument({ ...document, components: { ...document.components, ...Object.fromEntries(gone) } })
  }

  async #send(): Promise<void> {
    const announcer = this.#announcer
    if (announcer === undefined) return
    const { clock } = this.#deps
    const text = this.#text()
    if (text !== this.#sent) {
      this.#sentAt = clock.monotonic()
      if (this.#sentAt - this.#bornAt < AROUND_BIRTH_MS) this.#sayAgain()
    }
    this.#sent = text
    this.#awaitEcho()
    try {
      await announcer.publish(this.topic, text, { retain: true })
      this.#deps.onSent?.()
    } catch (error) {
      this.#cancelEcho?.()
      // A connection that has ended says nothing about what the broker allows.
      if (!(error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED')) this.#isRefused(messageOf(error))
    }
  }

  #sayAgain(): void {
    this.#cancelAgain?.()
    this.#cancelAgain = this.#deps.clock.after(AROUND_BIRTH_MS, () => void this.#send())
  }

  /** Under MQTT 3.1.1 a broker takes what it then throws away, and says nothing: only what comes back has arrived. */
  #awaitEcho(): void {
    this.#cancelEcho?.()
    this.#cancelEcho = this.#deps.clock.after(ECHO_MS, () => this.#isRefused('it was sent, and did not come back'))
  }

  #hasArrived(): void {
    this.#cancelEcho?.()
    if (this.#refused === undefined) return
    this.#refused = undefined
    this.#deps.onProblem?.()
  }

  #isRefused(reason: string): void {
    if (this.#refused !== undefined) return
    this.#refused = reason
    const hint = `let this user write and read ${this.topic} at the broker (access rules)`
    this.#deps.log.warn({ topic: this.topic, reason, hint }, 'Home Assistant may not see this device')
    this.#deps.onProblem?.()
  }

  #deletedBySomebody(): void {
    this.close()
    if (this.#removed) return
    this.#removed = true
    const hint = 'to have it back, restart this program'
    this.#deps.log.info({ topic: this.topic, hint }, 'the device was deleted in Home Assistant, and stays so')
  }

  /** Of a document by an earlier release, or by this one when the board had more on it. */
  #bury(text: string): void {
    for (const [key, platform] of componentsIn(text)) this.#tombstones.set(key, { platform })
  }
}

function componentsIn(text: string): [key: string, platform: HaComponent['platform']][] {
  let document: Partial<HaDocument>
  try {
    document = JSON.parse(text) as Partial<HaDocument>
  } catch {
    return []
  }
  return Object.entries(document?.components ?? {}).flatMap(([key, component]) =>
    typeof component?.platform === 'string' ? [[key, component.platform]] : [],
  )
}
