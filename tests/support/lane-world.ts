import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pino } from 'pino'
import type { BatchSettings } from '../../bridge/config.ts'
import type { BridgeEventMap } from '../../bridge/events.ts'
import type { Lane } from '../../bridge/lanes/lane.ts'
import { Lanes } from '../../bridge/lanes/lanes.ts'
import { LedgerPublisher } from '../../bridge/ledger/ledger-publisher.ts'
import { SnowflakeCalls } from '../../bridge/metrics/snowflake-calls.ts'
import { Presence } from '../../bridge/presence.ts'
import type { DeviceLog } from '../../bridge/spool/device-log.ts'
import { MemorySpool } from '../../bridge/spool/memory-spool.ts'
import type { SpooledRow } from '../../bridge/spool/spooled-row.ts'
import { SnowhatError } from '../../src/errors.ts'
import { Events } from '../../src/events.ts'
import { type Ledger, parseLedger } from '../../src/ledger.ts'
import { type Log, silentLog } from '../../src/log.ts'
import { createTopics } from '../../src/topics.ts'
import { defaultSettings } from './bridge-settings.ts'
import { FakeSnowpipe, type SeenAppend } from './fake-snowpipe.ts'
import { ManualClock } from './manual-clock.ts'
import { senseHatOnly } from './pipes.ts'

const compress = promisify(gzip)
const topics = createTopics('sensehat', 'homeassistant')

export interface LaneWorldOptions {
  readonly batch?: Partial<BatchSettings>
  readonly instance?: string
  /** Another bridge at the same broker and the same Snowflake, gone or still there. */
  readonly before?: LaneWorld
  /** The retained ledgers did not reach this bridge when it connected: a broker's queue limit. */
  readonly hearsNoLedgers?: boolean
  /** The broker holds something of another version in the place of each ledger. */
  readonly unreadableLedger?: boolean
}

/** What brokers do for bridges: keep the last ledger of each device, and tell of every new one. */
interface LedgerBoard {
  readonly retained: Map<string, string>
  readonly listeners: Set<(topic: string, payload: string) => void>
}

/** Spool, lanes and ledgers of one bridge, with a fake Snowpipe, a broker made of two variables, and time by hand. */
export class LaneWorld {
  readonly clock: ManualClock
  readonly snowpipe: FakeSnowpipe
  readonly calls: SnowflakeCalls
  readonly spool: MemorySpool
  readonly events = new Events<BridgeEventMap>(silentLog())
  readonly ledgers: LedgerPublisher
  readonly lanes: Lanes
  readonly rivals: string[] = []
  /** What the broker is asked before a channel is opened again. */
  onLookForRival: () => void | Promise<void> = () => undefined
  /** The broker's access rules forbid ledgers. */
  brokerRefuses = false
  /** How long a refused row takes to be kept. */
  keepingRefused: Promise<void> = Promise.resolve()
  /** What was logged as fatal: alarms. */
  readonly fatal: { readonly code: string; readonly hint: string }[] = []
  readonly refusedRows: { readonly row: SpooledRow; readonly reason: string }[] = []
  /** Ledgers the broker has acknowledged, oldest first. */
  readonly acknowledged: Ledger[] = []
  /** Rows that were appended without their run in an acknowledged ledger. Must stay empty. */
  readonly unannounced: string[] = []
  readonly #board: LedgerBoard
  readonly #hear: (topic: string, payload: string) => void
  #brokerAnswers = true
  readonly #unanswered: (() => void)[] = []

  constructor({
    batch = {},
    instance = 'own1',
    before,
    hearsNoLedgers = false,
    unreadableLedger = false,
  }: LaneWorldOptions = {}) {
    this.#board = before ? before.#board : { retained: new Map(), listeners: new Set() }
    this.clock = before?.clock ?? new ManualClock()
    this.snowpipe = before?.snowpipe ?? new FakeSnowpipe(this.clock)
    this.calls = new SnowflakeCalls(this.clock)
    this.spool = new MemorySpool(Number.POSITIVE_INFINITY, instance)
    this.snowpipe.onAppend = (append) => this.#checkAnnounced(append)
    const { clock, events, snowpipe, spool } = this
    const log = alarmsOf((alarm) => this.fatal.push(alarm))
    this.ledgers = new LedgerPublisher({
      clock,
      log,
      events,
      spool,
      topics,
      publish: (topic, payload) => this.#publish(topic, payload),
      retainedLedger: async (hostname) => this.retained(hostname) ?? null,
      onAnnounced: (device) => this.lanes.wake(device),
    })
    this.lanes = new Lanes(
      {
        ...defaultSettings,
        batch: { max_rows: 3, max_bytes: 1_000_000, max_age_ms: 1_000, compression: 'gzip', ...batch },
      },
      {
        clock,
        log,
        random: () => 0.5,
        events,
        spool,
        snowpipe: this.calls.watch(snowpipe),
        routes: senseHatOnly(),
        ledgers: this.ledgers,
        retainedLedger: async (hostname) => {
          if (unreadableLedger) throw new SnowhatError('E_LEDGER_UNREADABLE', 'no ledger of this version')
          return this.retained(hostname) ?? null
        },
        lookForRival: async () => this.onLookForRival(),
        onTrimmed: () => undefined,
        onRenewed: () => undefined,
        onRival: (reason) => this.rivals.push(reason),
        onRefusedRow: async (_device, row, reason) => {
          await this.keepingRefused
          this.refusedRows.push({ row, reason })
        },
      },
    )
    const presence = new Presence({
      log,
      topics,
      spool,
      info: () => ({ instance, version: '0', host: 'nas', started_at: '' }),
      onRival: () => undefined,
      standsDown: true,
    })
    this.#hear = (topic, payload) =>
      presence.take({ topic, payload: Buffer.from(payload), retain: true, duplicate: false })
    if (!hearsNoLedgers) {
      for (const [topic, payload] of this.#board.retained) this.#hear(topic, payload)
      this.#board.listeners.add(this.#hear)
    }
    this.ledgers.connected()
  }

  get device(): DeviceLog {
    return this.spool.device('pi')
  }

  /** The ledger the broker holds. */
  retained(hostname = 'pi'): Ledger | undefined {
    return parseLedger(Buffer.from(this.#board.retained.get(topics.ledger(hostname)) ?? ''))
  }

  /** A ledger that was there before this bridge, heard of or not. */
  leave(ledger: Ledger, hostname = 'pi'): void {
    this.#board.retained.set(topics.ledger(hostname), JSON.stringify(ledger))
  }

  /** Somebody empties the ledger at the broker. */
  unretain(hostname = 'pi'): void {
    this.#board.retained.delete(topics.ledger(hostname))
  }

  get lane(): Lane {
    const [lane] = this.lanes
    if (lane === undefined) throw new Error('no lane yet: it is made with the first row')
    return lane
  }

  /** What the ledger says is in the table, of the stream. */
  committed(stream = 'aaaaaaaa'): unknown {
    return this.ledgers.current(this.device).streams[stream]?.committed ?? []
  }

  /** `seq` of the rows in the table, in its order. */
  inTable(stream = 'aaaaaaaa'): number[] {
    return this.snowpipe.table.filter((row) => row.stream === stream).map((row) => row.seq)
  }

  /** Readings arrive, one after the other. */
  take(first: number, last = first, stream = 'aaaaaaaa', values: object = {}): void {
    for (let seq = first; seq <= last; seq++) {
      if (this.device.has(stream, seq)) continue
      void this.spool.append([
        {
          device: this.device,
          rows: [
            {
              stream,
              seq,
              json: Buffer.from(JSON.stringify({ uuid: `pi-${stream}-${seq}`, stream, seq, ...values })),
              receivedAt: this.clock.now(),
              arrived: this.clock.monotonic(),
            },
          ],
        },
      ])
    }
    this.ledgers.touch(this.device)
    this.lanes.wake(this.device)
  }

  /** Time passes, and whoever it wakes does its work. */
  async run(ms: number, step = 100): Promise<void> {
    await quiet()
    for (let left = ms; left > 0; left -= step) {
      await this.clock.advance(Math.min(step, left))
      await quiet()
    }
  }

  /** From now on the broker acknowledges ledgers, or not. */
  set brokerAnswers(answers: boolean) {
    this.#brokerAnswers = answers
    if (answers) for (const answer of this.#unanswered.splice(0)) answer()
  }

  async close(): Promise<void> {
    this.#board.listeners.delete(this.#hear)
    await this.lanes.close()
    await this.ledgers.close()
  }

  async #publish(topic: string, payload: string): Promise<void> {
    if (this.brokerRefuses) throw new SnowhatError('E_MQTT_REFUSED', 'not authorized')
    if (!this.#brokerAnswers) await new Promise<void>((resolve) => this.#unanswered.push(resolve))
    this.acknowledged.push(JSON.parse(payload) as Ledger)
    this.#board.retained.set(topic, payload)
    for (const hear of this.#board.listeners) hear(topic, payload)
  }

  #checkAnnounced({ startOffsetToken, endOffsetToken }: SeenAppend): void {
    for (const token of [startOffsetToken, endOffsetToken]) {
      const [ordinal, owner, stream] = token.split('.')
      const named = this.acknowledged.some(({ runs }) =>
        runs.some((run) => run.ordinal === Number(ordinal) && run.owner === owner && run.stream === stream),
      )
      if (!named) this.unannounced.push(token)
    }
  }
}

function alarmsOf(note: (alarm: { code: string; hint: string }) => void): Log {
  return pino({ level: 'fatal' }, { write: (line: string) => note(JSON.parse(line)) })
}

/** Batches are compressed on threads, which no clock knows of: several rounds through them, and all is done. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await compress('')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
