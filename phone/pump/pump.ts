import { deviceName } from '../../src/device-key.ts'
import type { Made, MadeRow } from '../delivery/delivery.ts'
import type { IdleRecord, JournalRecord, MessageRecord } from '../journal/journal-record.ts'
import type { ActivityRecord } from '../recognition/activity-record.ts'
import { ROW_KINDS, type RowKind } from '../topics.ts'
import type { Message } from '../wire/message.ts'
import { parseMessage } from '../wire/parse-message.ts'
import type { Making } from './making.ts'
import { PhoneState, type SavedPhone } from './phone-state.ts'
import type { Recogniser } from './recogniser.ts'
import { type Arrival, fields, messageRows } from './rows/message-rows.ts'
import { sampleRows } from './rows/sample-rows.ts'

/** What a snapshot keeps of it. */
export interface PumpState {
  /** The journal's name: another one after all was lost, so that no row is taken for one of before. */
  readonly journal: string
  /** The last record that is in this state. */
  readonly position: number
  /** How rows are made of the next one. */
  readonly making: Making
  readonly phones: readonly SavedPhone[]
}

/** What a record has come to. */
export interface Pumped {
  /** In the order they have to be sent. */
  readonly rows: readonly MadeRow[]
  /** The phone it was about; `undefined` when it was about none. */
  readonly phone: PhoneState | undefined
  /** Activities that are known now. */
  readonly activities: readonly ActivityRecord[]
  /** Readings in it. */
  readonly readings: number
  /** Phones that had to make room: nothing of them is known any more. */
  readonly forgotten: readonly string[]
}

/** So long must a phone have been silent to make room for another one. */
export const FORGET_AFTER_MS = 30 * 86_400_000
const NOTHING: Pumped = { rows: [], phone: undefined, activities: [], readings: 0, forgotten: [] }
const ALL = () => true

/**
 * Makes rows of records, one after the other. A function of the journal alone: whoever begins at a snapshot and reads on makes
 * the same rows with the same numbers. So it asks no clock, draws nothing, and waits for nobody.
 */
export class Pump {
  readonly #recogniser: Recogniser
  readonly #journal: string
  readonly #phones = new Map<string, PhoneState>()
  #position: number
  #making: Making

  /** `recogniser`: as it was after the record at `position`. */
  constructor(recogniser: Recogniser, { journal, position, making, phones }: PumpState) {
    this.#making = making
    this.#recogniser = recogniser
    this.#journal = journal
    this.#position = position
    for (const saved of phones) this.#phones.set(saved.deviceId, PhoneState.restore(saved))
  }

  get position(): number {
    return this.#position
  }

  /** How many phones it knows. */
  get size(): number {
    return this.#phones.size
  }

  knows(deviceId: string): boolean {
    return this.#phones.has(deviceId)
  }

  get phones(): readonly PhoneState[] {
    return [...this.#phones.values()]
  }

  state(): PumpState {
    const phones = this.phones.map((phone) => phone.saved())
    return { journal: this.#journal, position: this.#position, making: this.#making, phones }
  }

  process(sequence: number, record: JournalRecord): Pumped {
    this.#position = sequence
    switch (record.kind) {
      case 'message':
        return this.#message(sequence, record)
      case 'idle':
        return this.#idle(sequence, record)
      case 'settings':
        return this.#use(sequence, record.making)
    }
  }

  /** The disk holds no record of that number. */
  skip(sequence: number): void {
    this.#position = sequence
  }

  #message(sequence: number, record: MessageRecord): Pumped {
    const { at, source } = record
    // What is not wanted, and what cannot be read, was left out before it was written down.
    const message = record.message ?? readAgain(record.text)
    if (message === undefined) return NOTHING
    const phone = this.#phone(message.deviceId, sequence)
    const forgotten = this.#forgetSilent(message.deviceId, at)
    phone.heard(message, at)
    const arrival = { message, receivedAt: at, source }
    const raw = this.#raw(phone, arrival).map((inner) => rowOf(sequence, phone, 'records', inner))
    const activities = recordsOf(this.#recogniser.process(message, at))
    return { ...this.#pumped(sequence, phone, raw, activities, message.readings.length), forgotten }
  }

  #idle(sequence: number, { deviceId, sessionId }: IdleRecord): Pumped {
    const phone = this.#phones.get(deviceId)
    if (phone === undefined) return NOTHING
    phone.ended(sessionId)
    const raw = this.#making.raw === 'seconds' ? phone.seconds.flush(sessionId) : []
    const rows = raw.map((inner) => rowOf(sequence, phone, 'records', inner))
    return this.#pumped(sequence, phone, rows, recordsOf(this.#recogniser.flush(deviceId, sessionId)), 0)
  }

  #use(sequence: number, making: Making): Pumped {
    // Seconds that have begun would be finished by nobody.
    const rows =
      this.#making.raw === 'seconds' && making.raw !== 'seconds'
        ? this.phones.flatMap((phone) => phone.seconds.flush().map((inner) => rowOf(sequence, phone, 'records', inner)))
        : []
    this.#making = making
    this.#recogniser.use(making)
    return { ...NOTHING, rows }
  }

  #pumped(
    sequence: number,
    phone: PhoneState,
    raw: readonly MadeRow[],
    activities: readonly ActivityRecord[],
    readings: number,
  ): Pumped {
    // A batch may finish windows of another phone.
    const rows = activities.flatMap((activity) => {
      const whose = this.#phones.get(activity.deviceId)
      return whose === undefined ? [] : [rowOf(sequence, whose, 'activity', fields(activity))]
    })
    return { rows: [...raw, ...rows], phone, activities, readings, forgotten: [] }
  }

  #raw(phone: PhoneState, arrival: Arrival): readonly string[] {
    switch (this.#making.raw) {
      case 'messages':
        return messageRows(arrival)
      case 'samples':
        return sampleRows(arrival)
      case 'seconds':
        return phone.seconds.add(arrival)
      case 'none':
        return []
    }
  }

  /** The order of `#phones` is that of the last messages. */
  #phone(deviceId: string, sequence: number): PhoneState {
    const phone = this.#phones.get(deviceId) ?? PhoneState.begin(deviceId, this.#journal, sequence)
    this.#phones.delete(deviceId)
    this.#phones.set(deviceId, phone)
    return phone
  }

  #forgetSilent(deviceId: string, at: number): string[] {
    const forgotten: string[] = []
    for (const [oldest, { heardAt }] of this.#phones) {
      if (this.#phones.size <= this.#making.maxDevices || at - heardAt < FORGET_AFTER_MS || oldest === deviceId) break
      this.#phones.delete(oldest)
      forgotten.push(oldest)
    }
    return forgotten
  }
}

/** Up to where rows of each phone and kind are made. */
export function madeOf({ phones }: Pick<PumpState, 'phones'>): Made[] {
  return phones.flatMap(({ deviceId, stream, seq }) =>
    ROW_KINDS.map((kind) => ({ device: deviceName(deviceId), kind, stream, seq: seq[kind] })),
  )
}

function readAgain(text: string): Message | undefined {
  const parsed = parseMessage(text, ALL)
  return parsed.ok ? parsed.message : undefined
}

function recordsOf(recognised: readonly { readonly record: ActivityRecord }[]): ActivityRecord[] {
  return recognised.map(({ record }) => record)
}

function rowOf(of: number, phone: PhoneState, kind: RowKind, inner: string): MadeRow {
  const device = deviceName(phone.deviceId)
  const { stream } = phone
  const seq = ++phone.seq[kind]
  const place = fields({ stream, seq })
  return { device, kind, row: { of, stream, seq, text: `{${place},${inner}}` } }
}
