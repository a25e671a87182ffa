import type { Clock } from '../src/clock.ts'
import { Gate } from '../src/gate.ts'
import { StreamSets } from '../src/ledger.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage } from '../src/mqtt-link.ts'
import { randomId } from '../src/random-id.ts'
import type { DeadLetters } from './dead-letters/dead-letters.ts'
import type { BridgeEvents } from './events.ts'
import type { DecodedReading, Refused, Route } from './route.ts'
import type { DeviceLog, NewRow, Position } from './spool/device-log.ts'
import type { Spool } from './spool/spool.ts'

export interface IntakeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly deadLetters: DeadLetters
  /** Called when a device has new rows, or something its publisher should hear of. */
  readonly onChange: (device: DeviceLog) => void
}

/** The readings of one message, looked through. */
interface Sorted {
  readonly rows: NewRow[]
  readonly known: { readonly stream: string; readonly seq: number }[]
  readonly refused: Refused[]
  readonly gaps: { readonly stream: string; readonly seq: number; readonly after: string }[]
  late: number
  /** The last position given to a publisher that numbers nothing. */
  made: DeviceLog['made']
}

/** A jump this far is a broken counter, not a gap: taking it in would poison the interval sets. */
const LONGEST_JUMP = 1_000_000

/**
 * MQTT message to spooled rows. `accept` resolves when the spool has committed the message's readings, and
 * the PUBACK leaves then. It never rejects because of what is in a message: what cannot be read is
 * acknowledged, counted and kept as a dead letter, because it would come back for ever otherwise.
 */
export class Intake {
  readonly #route: Route
  readonly #deps: IntakeDeps
  readonly #oneAtATime = new Gate(1)

  constructor(route: Route, deps: IntakeDeps) {
    this.#route = route
    this.#deps = deps
  }

  /** One message at a time: a redelivery on a new connection must see what the last one is still writing. */
  accept(message: IncomingMessage): Promise<void> {
    return this.#oneAtATime.pass(() => this.#accept(message))
  }

  async #accept(message: IncomingMessage): Promise<void> {
    const hostname = this.#route.deviceOf(message.topic)
    if (hostname === undefined) {
      const reason = 'the topic names no device: [a-z0-9][a-z0-9_-]{0,62}, and neither bridge nor elastic'
      await this.#refuse('', message.topic, { code: 'bad_topic', reason, payload: message.payload })
      return
    }
    const device = this.#deps.spool.device(hostname)
    const { readings, refused } = this.#route.decode(hostname, message.payload)
    const sorted = this.#sort(device, readings)
    // Rows first: a full spool takes nothing of a message, and nothing of it is counted then.
    if (sorted.rows.length > 0) await this.#deps.spool.append(device, sorted.rows)
    const madeNew = device.made === null && sorted.made !== null
    device.made = sorted.made
    const kept = [...refused, ...sorted.refused].map((one) => this.#refuseOf(device, message.topic, one))
    for (const { stream, seq } of sorted.known) this.#redelivered(device, stream, seq)
    for (const { stream, seq, after } of sorted.gaps) declareGap(device, stream, seq, after)
    device.counters.late += sorted.late
    await Promise.all(kept)
    // What rows do not tell by themselves must be as durable as they are before the message is acknowledged.
    if (refused.length + sorted.refused.length + sorted.gaps.length > 0 || madeNew) await this.#deps.spool.save(device)
    if (sorted.rows.length > 0) this.#deps.events.emit('readings:spooled', hostname, sorted.rows.length)
    this.#deps.onChange(device)
  }

  /** What is new, what is known, what cannot be taken. Changes nothing yet. */
  #sort(device: DeviceLog, readings: readonly DecodedReading[]): Sorted {
    const sorted: Sorted = { rows: [], known: [], refused: [], gaps: [], late: 0, made: device.made }
    const inThisMessage = new StreamSets()
    for (const reading of readings) {
      const position = reading.position ?? { ...nextMade(sorted.made), after: null }
      if (reading.position === undefined) sorted.made = position
      const { stream, seq, after } = position
      // Of a known one too: its row may have been kept and its message come again before this was.
      if (after !== null) sorted.gaps.push({ stream, seq, after })
      if (device.has(stream, seq) || inThisMessage.has(stream, seq)) {
        sorted.known.push({ stream, seq })
        continue
      }
      // A stream we know nothing of may stand anywhere: this spool may be new, the Pi may have run for months.
      const newest = Math.max(device.received.max(stream) ?? seq, inThisMessage.max(stream) ?? 0)
      if (seq > newest + LONGEST_JUMP) {
        const payload = Buffer.from(JSON.stringify(reading.row))
        // Its place is taken all the same: the stream goes on from there, and its publisher lets go of it.
        const reason = `seq ${seq} follows ${newest}`
        sorted.refused.push({ code: 'seq_jump', reason, payload, position: { stream, seq } })
        inThisMessage.add(stream, seq)
        continue
      }
      if (seq < newest) sorted.late++
      inThisMessage.add(stream, seq)
      sorted.rows.push(this.#rowOf(device, stream, seq, reading))
    }
    return sorted
  }

  #jumps(device: DeviceLog, { stream, seq }: Position): boolean {
    return seq > (device.received.max(stream) ?? seq) + LONGEST_JUMP
  }

  #rowOf(device: DeviceLog, stream: string, seq: number, reading: DecodedReading): NewRow {
    const receivedAt = this.#deps.clock.now()
    const json = JSON.stringify({
      ...reading.row,
      uuid: reading.row.uuid ?? `${device.hostname}-${stream}-${seq}`,
      stream,
      seq,
      bridge_received_at: new Date(receivedAt).toISOString(),
    })
    return { stream, seq, json, receivedAt, arrived: this.#deps.clock.monotonic() }
  }

  #redelivered(device: DeviceLog, stream: string, seq: number): void {
    device.counters.redelivered++
    this.#deps.events.emit('reading:redelivered', device.hostname, stream, seq)
  }

  async #refuseOf(device: DeviceLog, topic: string, refused: Refused): Promise<void> {
    // What is not even a reading cannot be trusted with a jump.
    const { position } = refused
    const trusted = position && (refused.code === 'seq_jump' || !this.#jumps(device, position))
    if (position && trusted) {
      const { stream, seq } = position
      if (device.has(stream, seq)) {
        this.#redelivered(device, stream, seq)
        return
      }
      // Accounted for: its publisher may let go of it, and it is no gap.
      device.received.add(stream, seq)
      device.committed.add(stream, seq)
    }
    device.counters.deadLetters++
    await this.#refuse(device.hostname, topic, refused)
  }

  #refuse(hostname: string, topic: string, { code, reason, payload, position }: Refused): Promise<void> {
    const at = this.#deps.clock.now()
    this.#deps.log.debug({ device: hostname, topic, code, reason }, 'kept a message as a dead letter')
    this.#deps.events.emit('reading:refused', hostname, code, reason)
    return this.#deps.deadLetters.add({ device: hostname, topic, code, reason, payload, at, position })
  }
}

/** The next position in the stream this bridge makes for a publisher that numbers nothing. */
function nextMade(made: DeviceLog['made']): Position {
  return made === null ? { stream: randomId(8), seq: 1 } : { stream: made.stream, seq: made.seq + 1 }
}

/** `after` names the reading before this one: what lies between was given up by the publisher. */
function declareGap(device: DeviceLog, stream: string, seq: number, after: string): void {
  const dot = after.indexOf('.')
  const [before, last] = [after.slice(0, dot), Number(after.slice(dot + 1))]
  const from = before === stream ? last + 1 : 1
  if (from < seq) device.declared.add(stream, from, seq - 1)
}
