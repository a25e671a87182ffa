import { StreamSets } from '../src/ledger.ts'
import { randomId } from '../src/random-id.ts'
import type { DecodedReading, Refused } from './routes/route.ts'
import { withKeys } from './routes/row-json.ts'
import type { DeviceLog } from './spool/device-log.ts'
import type { NewRow, Position } from './spool/spooled-row.ts'

/** A jump this far is a broken counter, not a gap: taking it in would poison the interval sets. */
const LONGEST_JUMP = 1_000_000

/** When a message came, on both clocks. */
export interface Moment {
  /** Epoch milliseconds. */
  readonly at: number
  readonly monotonic: number
  /** `at` in words: ISO 8601 UTC. */
  readonly iso: string
}

/** Something that can never become a row, with the topic it came on. */
export interface Letter extends Refused {
  readonly topic: string
}

/**
 * What a group of messages changes in one device: decided message by message, done for all of them at once. Nothing is
 * changed before `apply`, so a group that the spool does not take has never been.
 */
export class Arrivals {
  readonly device: DeviceLog
  rows: NewRow[] = []
  readonly letters: Letter[] = []
  readonly redelivered: Position[] = []
  readonly #gaps: { readonly stream: string; readonly seq: number; readonly after: string }[] = []
  /** Positions these messages bring. */
  readonly #new = new StreamSets()
  readonly #accounted: Position[] = []
  #made: DeviceLog['made']
  #late = 0

  constructor(device: DeviceLog) {
    this.device = device
    this.#made = device.made
  }

  /** Facts that rows do not tell by themselves: they have to be as durable as rows before a PUBACK. */
  get changesFacts(): boolean {
    const firstMade = this.device.made === null && this.#made !== null
    return this.letters.length > 0 || this.#gaps.length > 0 || firstMade || this.device.retired
  }

  reading(reading: DecodedReading, topic: string, moment: Moment): void {
    const position = reading.position ?? { ...this.#nextMade(), after: null }
    if (reading.position === undefined) this.#made = position
    const { stream, seq, after } = position
    // Of a known one too: its row may have been kept and its message come again before this was.
    if (after !== null) this.#gaps.push({ stream, seq, after })
    if (this.#has(position)) {
      this.redelivered.push({ stream, seq })
      return
    }
    // A stream we know nothing of may stand anywhere: this spool may be new, the Pi may have run for months.
    const newest = this.#newest(stream) ?? seq
    if (seq > newest + LONGEST_JUMP) {
      // Its place is taken all the same: the stream goes on from there, and its publisher lets go of it.
      const reason = `seq ${seq} follows ${newest}`
      this.letters.push({ code: 'seq_jump', reason, payload: reading.json, topic, position: { stream, seq } })
      this.#account({ stream, seq })
      return
    }
    if (seq < newest) this.#late++
    this.#new.add(stream, seq)
    this.rows.push(rowOf(this.device.hostname, stream, seq, reading, moment))
  }

  refused(refused: Refused, topic: string): void {
    const { position } = refused
    // What is not even a reading cannot be trusted with a jump.
    if (position !== undefined && position.seq <= (this.#newest(position.stream) ?? position.seq) + LONGEST_JUMP) {
      if (this.#has(position)) {
        this.redelivered.push(position)
        return
      }
      // Accounted for: its publisher may let go of it, and it is no gap.
      this.#account(position)
    }
    this.letters.push({ ...refused, topic })
  }

  /** The spool takes no rows of this device: they have not come. What can never be a row is kept all the same. */
  turnAway(): void {
    this.rows = []
    this.#late = 0
    this.#made = this.device.made
  }

  /** The rows are in the spool: the device is what the messages have made of it. */
  apply(): void {
    const { device } = this
    device.retired = false
    device.made = this.#made
    for (const { stream, seq } of this.#accounted) device.account(stream, seq)
    for (const { stream, seq, after } of this.#gaps) declareGap(device, stream, seq, after)
    device.counters.redelivered += this.redelivered.length
    device.counters.deadLetters += this.letters.length
    device.counters.late += this.#late
  }

  /** The next position in the stream this bridge makes for a publisher that numbers nothing. */
  #nextMade(): Position {
    const made = this.#made
    if (made === null) return { stream: randomId(8), seq: 1 }
    // A group that was taken in part has used some.
    return { stream: made.stream, seq: Math.max(made.seq, this.#newest(made.stream) ?? 0) + 1 }
  }

  #account(position: Position): void {
    this.#new.add(position.stream, position.seq)
    this.#accounted.push(position)
  }

  #has({ stream, seq }: Position): boolean {
    return this.device.has(stream, seq) || this.#new.has(stream, seq)
  }

  #newest(stream: string): number | undefined {
    const known = this.device.received.max(stream)
    const here = this.#new.max(stream)
    return known === undefined ? here : Math.max(known, here ?? 0)
  }
}

function rowOf(hostname: string, stream: string, seq: number, reading: DecodedReading, moment: Moment): NewRow {
  const uuid = reading.named ? '' : `,"uuid":"${hostname}-${stream}-${seq}"`
  const position = reading.position === undefined ? `,"stream":"${stream}","seq":${seq}` : ''
  const received = `,"bridge_received_at":"${moment.iso}"`
  const json = withKeys(reading.json, uuid + position + received)
  return { stream, seq, json, receivedAt: moment.at, arrived: moment.monotonic }
}

/** `after` names the reading before this one: what lies between was given up by the publisher. */
function declareGap(device: DeviceLog, stream: string, seq: number, after: string): void {
  const dot = after.indexOf('.')
  const [before, last] = [after.slice(0, dot), Number(after.slice(dot + 1))]
  const from = before === stream ? last + 1 : 1
  if (from < seq) device.declared.add(stream, from, seq - 1)
}
