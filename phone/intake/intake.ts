import { createHash } from 'node:crypto'
import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { Journal } from '../journal/journal.ts'
import type { Source } from '../journal/journal-record.ts'
import type { Message } from '../wire/message.ts'
import { parseMessage } from '../wire/parse-message.ts'
import { type DeadLetterFile, LONGEST_LETTER } from './dead-letter-file.ts'
import type { Rates } from './rates.ts'
import type { Seen } from './seen.ts'
import { isWhole, storedText } from './stored-text.ts'

/** What became of a message. */
export type Outcome =
  /** It would survive a power cut; `size` is the length of `payload`. */
  | {
      readonly kind: 'stored'
      readonly size: number
      readonly accepted: number
      readonly rejected: number
      readonly duplicates: number
    }
  /** The app's test button: nothing to store. */
  | { readonly kind: 'test'; readonly size: number }
  /** It was stored before. */
  | { readonly kind: 'duplicate'; readonly size: number }
  | { readonly kind: 'unreadable'; readonly notJson: boolean; readonly sentence: string }
  | { readonly kind: 'too-long'; readonly maxBytes: number }
  /** Something the phone's user should know. */
  | {
      readonly kind: 'refused'
      readonly why: 'unknown-device' | 'too-fast' | 'too-many-devices'
      readonly sentence: string
    }
  /** Nothing of it is stored. */
  | { readonly kind: 'full' }

/** Bytes on their way to the disk at a time. The broker sends what the app publishes at QoS 0 however slow the disk is. */
const MOST_UNDER_WAY = 64 * 1024 * 1024

export interface IntakeSettings {
  /** Longest message. */
  readonly maxBytes: number
  /** Phones that may send; none allows all. */
  readonly devices: readonly string[]
  /** Whether a sensor's readings are kept. */
  readonly keeps: (sensor: string) => boolean
}

export interface IntakeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly journal: Pick<Journal, 'append'>
  readonly seen: Seen
  readonly rates: Rates
  readonly deadLetters: DeadLetterFile
  /** Whether there is room for a phone that nobody knows yet, or it is known. */
  readonly hasRoomFor: (deviceId: string) => boolean
  /** Of each message that is going to be stored. */
  readonly onHeard: (message: Message) => void
}

export interface IntakeCounters {
  messages: number
  readings: number
  rejected: number
  duplicates: number
  /** Same number and another content. */
  messageid_conflict: number
  unreadable: number
  refused: number
  /** Messages for which there was no room. The app does not send them again. */
  lost: number
  /** Epoch milliseconds of the last test; `null` before the first. */
  last_test_at: number | null
}

/** Takes messages of the app, however they come. Each is stored whole, or not at all. */
export class Intake {
  readonly counters: IntakeCounters = {
    messages: 0,
    readings: 0,
    rejected: 0,
    duplicates: 0,
    messageid_conflict: 0,
    unreadable: 0,
    refused: 0,
    lost: 0,
    last_test_at: null,
  }
  readonly #settings: IntakeSettings
  readonly #allowed: ReadonlySet<string>
  readonly #deps: IntakeDeps
  readonly #full = new Doubling()
  #underWay = 0
  readonly #refusals = new Doubling()
  readonly #unreadable = new Doubling()

  constructor(settings: IntakeSettings, deps: IntakeDeps) {
    this.#settings = settings
    this.#allowed = new Set(settings.devices)
    this.#deps = deps
  }

  /** Never rejects but when the journal has failed. */
  async take(body: Buffer, source: Source): Promise<Outcome> {
    const { log, seen } = this.#deps
    const { maxBytes } = this.#settings
    if (body.length > maxBytes) {
      this.#cannotRead('too-long', source, body.toString('utf8', 0, LONGEST_LETTER))
      return { kind: 'too-long', maxBytes }
    }
    const text = body.toString('utf8')
    const parsed = parseMessage(text, this.#settings.keeps)
    if (!parsed.ok) {
      this.#cannotRead(parsed.fault, source, text)
      return { kind: 'unreadable', notJson: parsed.fault === 'not-json', sentence: parsed.sentence }
    }
    const { message } = parsed
    if (message.isTest) {
      this.counters.last_test_at = this.#deps.clock.now()
      return { kind: 'test', size: message.size }
    }
    const refused = this.#refusal(message, body.length)
    if (refused !== undefined) {
      this.counters.refused++
      // The app that publishes by MQTT is told nothing.
      this.#refusals.when((times) =>
        log.warn(
          { times, source, device: message.deviceId, reason: refused.sentence },
          'a message of a phone is refused',
        ),
      )
      return refused
    }
    const hash = createHash('sha256').update(body).digest('base64').slice(0, 12)
    const verdict = seen.look(message, hash)
    if (typeof verdict === 'object') {
      const stored = await verdict.duplicateOf.then(
        () => true,
        () => false,
      )
      if (!stored) return { kind: 'full' }
      this.counters.duplicates += message.size
      return { kind: 'duplicate', size: message.size }
    }
    if (verdict === 'conflict') this.counters.messageid_conflict++
    return this.#store(message, text, hash, source)
  }

  #cannotRead(reason: string, source: Source, payload: string): void {
    const { clock, deadLetters, log } = this.#deps
    this.counters.unreadable++
    deadLetters.add({ at: clock.now(), source, reason, payload })
    this.#unreadable.when((times) => log.warn({ times, source, reason }, 'what came is no message of the app'))
  }

  #refusal({ deviceId }: Message, bytes: number): (Outcome & { kind: 'refused' }) | undefined {
    if (this.#allowed.size > 0 && !this.#allowed.has(deviceId))
      return {
        kind: 'refused',
        why: 'unknown-device',
        sentence: 'this phone is not on the list of those that may send',
      }
    if (!this.#deps.rates.allows(deviceId, bytes))
      return { kind: 'refused', why: 'too-fast', sentence: 'this phone sends more than it may' }
    if (!this.#deps.hasRoomFor(deviceId))
      return { kind: 'refused', why: 'too-many-devices', sentence: 'there are too many phones' }
    return undefined
  }

  async #store(message: Message, text: string, hash: string, source: Source): Promise<Outcome> {
    const { clock, journal, seen, onHeard } = this.#deps
    const at = clock.now()
    const { deviceId, sessionId, messageId } = message
    const bytes = Buffer.byteLength(text)
    if (this.#underWay > 0 && this.#underWay + bytes > MOST_UNDER_WAY) return this.#lose('give it a faster disk')
    this.#underWay += bytes
    const writing = journal.append({
      kind: 'message',
      at,
      source,
      hash,
      deviceId,
      sessionId,
      messageId,
      text: storedText(text, message),
      ...(isWhole(message) && { message }),
    })
    // From here on the recording is not silent, however long the disk takes: its end would be written behind this.
    onHeard(message)
    seen.add(message, hash, writing)
    try {
      await writing
    } catch (error) {
      if (!(error instanceof SnowhatError && error.code === 'E_LOG_FULL')) throw error
      return this.#lose(error.hint)
    } finally {
      this.#underWay -= bytes
    }
    this.#full.reset()
    this.#bury(message, source, at)
    const { size, readings, refused, duplicates } = message
    this.counters.messages++
    this.counters.readings += readings.length
    this.counters.rejected += refused.length
    this.counters.duplicates += duplicates
    return { kind: 'stored', size, accepted: readings.length, rejected: refused.length, duplicates }
  }

  #lose(hint: string | undefined): Outcome {
    this.counters.lost++
    this.#full.when((times) =>
      this.#deps.log.error({ times, hint }, 'there is no room for what phones send, and they do not send it again'),
    )
    return { kind: 'full' }
  }

  #bury({ deviceId, sessionId, messageId, refused }: Message, source: Source, at: number): void {
    for (const { index, reason, reading } of refused)
      this.#deps.deadLetters.add({ at, source, reason, deviceId, sessionId, messageId, index, reading })
  }
}
