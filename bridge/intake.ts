import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage } from '../src/mqtt-link.ts'
import { Arrivals, type Letter, type Moment } from './arrivals.ts'
import type { DeadLetters } from './dead-letters/dead-letters.ts'
import type { BridgeEvents } from './events.ts'
import type { Decoded } from './routes/route.ts'
import type { Routes } from './routes/routes.ts'
import type { DeviceLog } from './spool/device-log.ts'
import type { Spool } from './spool/spool.ts'

export interface IntakeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly deadLetters: DeadLetters
  /** How long few messages wait for company before their commit; 0 by default. */
  readonly lingerMs?: number
  /** Called when a device has new rows, or something its publisher should hear of. */
  readonly onChange: (device: DeviceLog) => void
}

/** A group beyond this would make all its messages wait for the last of them. */
const GROUP = { messages: 500, readings: 4_000, bytes: 2 * 1024 * 1024 }

/**
 * So many need no company: it is what brokers send before they wait for a PUBACK unless told otherwise [documented,
 * Mosquitto], so no more would come.
 */
const COMPANY = 20

/** A message that waits for its group. */
interface Waiting {
  readonly topic: string
  /** `undefined` when the topic names none. */
  readonly hostname: string | undefined
  readonly payload: Buffer
  readonly decoded: Decoded
  readonly moment: Moment
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const NOTHING: Decoded = { readings: [], refused: [] }

/**
 * MQTT messages to spooled rows. While one group of messages is being committed the next one gathers, so one sync of the
 * disk serves all that came meanwhile; groups follow one another, so each sees what the one before has left. `accept`
 * resolves when the spool has committed the message's readings, and its PUBACK leaves then. It never rejects because of
 * what is in a message: what cannot be read is acknowledged, counted and kept as a dead letter, because it would come back
 * for ever otherwise.
 */
export class Intake {
  readonly #routes: Routes
  readonly #deps: IntakeDeps
  #waiting: Waiting[] = []
  #running = false
  #moment: Moment = { at: Number.NaN, monotonic: Number.NaN, iso: '' }

  constructor(routes: Routes, deps: IntakeDeps) {
    this.#routes = routes
    this.#deps = deps
  }

  /** In the order of the messages. Parsing is done at once, while the disk is busy with the group before. */
  accept({ topic, payload }: IncomingMessage): Promise<void> {
    const route = this.#routes.ofTopic(topic)
    const hostname = route?.deviceOf(topic)
    const decoded = (hostname !== undefined && route?.decode(hostname, payload, topic)) || NOTHING
    const moment = this.#now()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, hostname, payload, decoded, moment, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  /** One for all messages of a millisecond. */
  #now(): Moment {
    const { clock } = this.#deps
    const at = clock.now()
    const monotonic = clock.monotonic()
    if (at !== this.#moment.at || monotonic - this.#moment.monotonic >= 1)
      this.#moment = { at, monotonic, iso: new Date(at).toISOString() }
    return this.#moment
  }

  async #run(): Promise<void> {
    this.#running = true
    const { clock, events, lingerMs = 0 } = this.#deps
    while (this.#waiting.length > 0) {
      // A sync costs the same for one message as for many, the disk's life included.
      if (lingerMs > 0 && this.#waiting.length < COMPANY) await clock.sleep(lingerMs)
      const group = this.#takeGroup()
      const since = clock.monotonic()
      try {
        await this.#commit(group)
        for (const { resolve } of group) resolve()
        events.emit('messages:taken', group.length, bytesOf(group), clock.monotonic() - since)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#running = false
  }

  /** At least one, oldest first. */
  #takeGroup(): Waiting[] {
    let readings = 0
    let bytes = 0
    const end = this.#waiting.findIndex(({ decoded, payload }, index) => {
      readings += decoded.readings.length
      // What is written of it: a payload may grow when its numbers are written anew.
      bytes += decoded.readings.reduce((sum, { json }) => sum + json.length, payload.length)
      return index > 0 && (index >= GROUP.messages || readings > GROUP.readings || bytes > GROUP.bytes)
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { spool } = this.#deps
    const arrivals = new Map<DeviceLog, Arrivals>()
    const strays: Letter[] = []
    for (const message of group) this.#sort(message, arrivals, strays)
    const all = [...arrivals.values()]
    // Rows first: a full spool takes nothing of a group, and nothing of it is counted then.
    const turnedAway = await spool.append(all.filter(({ rows }) => rows.length > 0))
    for (const one of all) if (turnedAway.has(one.device)) one.turnAway()
    const changed = all.filter((one) => one.changesFacts)
    // What follows may take its time, or fail: the rows wait for none of it.
    if (strays.length + changed.length > 0)
      for (const { device, rows } of all) if (rows.length > 0) this.#deps.onChange(device)
    await Promise.all([
      ...strays.map((letter) => this.#keep('', letter)),
      ...all.flatMap(({ device, letters }) => letters.map((letter) => this.#keep(device.hostname, letter))),
    ])
    for (const one of all) one.apply()
    if (changed.length > 0) await spool.save(changed.map(({ device }) => device))
    for (const one of all) this.#tell(one)
  }

  #sort({ topic, hostname, payload, decoded, moment }: Waiting, all: Map<DeviceLog, Arrivals>, strays: Letter[]): void {
    if (hostname === undefined) {
      const reason = 'the topic names no device: [a-z0-9][a-z0-9_-]{0,62}, and neither bridge nor elastic'
      strays.push({ topic, code: 'bad_topic', reason, payload })
      return
    }
    const device = this.#deps.spool.device(hostname)
    const arrivals = all.get(device) ?? new Arrivals(device)
    all.set(device, arrivals)
    for (const reading of decoded.readings) arrivals.reading(reading, topic, moment)
    for (const refused of decoded.refused) arrivals.refused(refused, topic)
  }

  #keep(device: string, { topic, code, reason, payload, position }: Letter): Promise<void> {
    const { clock, deadLetters, events, log } = this.#deps
    log.debug({ device, topic, code, reason }, 'kept a message as a dead letter')
    events.emit('reading:refused', device, code, reason)
    return deadLetters.add({ device, topic, code, reason, payload, at: clock.now(), position })
  }

  #tell({ device, redelivered, rows }: Arrivals): void {
    const { events, onChange } = this.#deps
    for (const { stream, seq } of redelivered) events.emit('reading:redelivered', device.hostname, stream, seq)
    if (rows.length > 0) events.emit('readings:spooled', device.hostname, rows)
    onChange(device)
  }
}

function bytesOf(group: readonly Waiting[]): number {
  return group.reduce((sum, { payload }) => sum + payload.length, 0)
}
