import { createHash } from 'node:crypto'
import { type Interval, IntervalSet } from '../../src/intervals.ts'
import type { RowKind } from '../topics.ts'
import type { Message } from '../wire/message.ts'
import { SecondRows, type SecondsState } from './rows/second-rows.ts'

/** Recordings of a phone that are remembered; the one heard from longest ago goes first. */
const RECORDINGS = 8
/** Gaps between messages of a recording that are remembered; of older ones only how many messages they were. */
const GAPS = 256

interface Recording {
  readonly sessionId: string
  /** Numbers of the messages that came. */
  readonly ids: IntervalSet
  /** How many are missing before those: they do not count as missing where they come all the same. */
  lost: number
  /** Its end has not been decided. */
  open: boolean
}

/** What a phone says of itself beside its movements. */
export interface PhoneFacts {
  /** 0 to 1. */
  readonly battery: number | null
  /** Of the recording. */
  readonly steps: number | null
}

/** One phone, as the messages so far have made it. Its numbers are part of the identity of its rows. */
export class PhoneState {
  readonly deviceId: string
  /** Of its rows, 8 of `[0-9a-z]`. */
  readonly stream: string
  /** The last of each kind of row; 0 before the first. */
  readonly seq: Record<RowKind, number>
  readonly seconds: SecondRows
  /** Epoch milliseconds of its last message. */
  heardAt: number
  facts: PhoneFacts
  /** The one heard from last at the end. */
  #recordings: Recording[]

  private constructor(saved: SavedPhone) {
    this.deviceId = saved.deviceId
    this.stream = saved.stream
    this.seq = { ...saved.seq }
    this.seconds = new SecondRows(saved.deviceId, saved.seconds)
    this.heardAt = saved.heardAt
    this.facts = saved.facts
    this.#recordings = saved.recordings.map(({ ids, ...rest }) => ({ ...rest, ids: new IntervalSet(ids) }))
  }

  /** A phone whose first message is the record of that number in the journal of that name. */
  static begin(deviceId: string, journal: string, sequence: number): PhoneState {
    const facts = { battery: null, steps: null }
    const stream = streamOf(deviceId, journal, sequence)
    const seq = { records: 0, activity: 0 }
    return new PhoneState({ deviceId, stream, seq, heardAt: 0, facts, recordings: [], seconds: NO_SECONDS })
  }

  /** The same phone, whose rows are numbered anew from that record of a journal of another name on. */
  static renamed(saved: SavedPhone, journal: string, sequence: number): SavedPhone {
    return { ...saved, stream: streamOf(saved.deviceId, journal, sequence), seq: { records: 0, activity: 0 } }
  }

  static restore(saved: SavedPhone): PhoneState {
    return new PhoneState(saved)
  }

  heard({ sessionId, messageId, readings }: Message, at: number): void {
    this.heardAt = at
    const known = this.#recordings.find((recording) => recording.sessionId === sessionId)
    const recording = known ?? { sessionId, ids: new IntervalSet(), lost: 0, open: true }
    recording.open = true
    if (messageId !== null) note(recording, messageId)
    if (known === undefined) this.facts = { ...this.facts, steps: null }
    this.#recordings = [...this.#recordings.filter((other) => other !== recording), recording].slice(-RECORDINGS)
    for (const { sensor, values } of readings) {
      if (Array.isArray(values)) continue
      const { batteryLevel, steps } = values as Readonly<Record<string, unknown>>
      if (sensor === 'battery' && isShare(batteryLevel)) this.facts = { ...this.facts, battery: batteryLevel }
      if (sensor === 'pedometer' && isCount(steps)) this.facts = { ...this.facts, steps }
    }
  }

  ended(sessionId: string): void {
    for (const recording of this.#recordings) if (recording.sessionId === sessionId) recording.open = false
  }

  /** Recordings whose end has not been decided. */
  get open(): readonly string[] {
    return this.#recordings.filter(({ open }) => open).map(({ sessionId }) => sessionId)
  }

  /** Messages of the recording heard from last that have not come although later ones have. */
  get gaps(): number {
    const recording = this.#recordings.at(-1)
    return recording === undefined ? 0 : recording.lost + missingOf(recording.ids.toJSON())
  }

  saved(): SavedPhone {
    const { deviceId, stream, seq, heardAt, facts } = this
    const recordings = this.#recordings.map(({ ids, ...rest }) => ({ ...rest, ids: ids.toJSON() }))
    return { deviceId, stream, seq: { ...seq }, heardAt, facts, recordings, seconds: this.seconds.state() }
  }
}

/** As it stands in a snapshot. */
export interface SavedPhone {
  readonly deviceId: string
  readonly stream: string
  readonly seq: Readonly<Record<RowKind, number>>
  readonly heardAt: number
  readonly facts: PhoneFacts
  readonly recordings: readonly {
    readonly sessionId: string
    readonly open: boolean
    readonly lost: number
    readonly ids: readonly Interval[]
  }[]
  readonly seconds: SecondsState
}

const NO_SECONDS: SecondsState = { open: [], closedUntilUs: null, late: 0 }

function note(recording: Recording, messageId: number): void {
  const { ids } = recording
  ids.add(messageId)
  if (ids.parts <= GAPS) return
  const [oldest, next] = ids.toJSON()
  if (oldest === undefined || next === undefined) return
  recording.lost += missingOf([oldest, next])
  ids.add(oldest[1] + 1, next[0] - 1)
}

/** How many numbers lie between intervals. */
function missingOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [first], i) => sum + first - (intervals[i - 1]?.[1] ?? first - 1) - 1, 0)
}

/** New for a phone that was forgotten and has come back: its numbers begin anew. */
function streamOf(deviceId: string, journal: string, sequence: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([journal, deviceId, sequence]))
    .digest()
  return digest.readBigUInt64BE().toString(36).padStart(8, '0').slice(-8)
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
