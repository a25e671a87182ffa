import type { Clock } from '../src/clock.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import type { Log } from '../src/log.ts'
import type { Topics } from '../src/topics.ts'
import type { PhoneSettings } from './config.ts'
import { Delivery } from './delivery/delivery.ts'
import { DeadLetterFile } from './intake/dead-letter-file.ts'
import { Intake, type IntakeCounters } from './intake/intake.ts'
import { Rates } from './intake/rates.ts'
import { Silence } from './intake/silence.ts'
import type { Journal } from './journal/journal.ts'
import type { JournalRecord } from './journal/journal-record.ts'
import { Checkpoints } from './pump/checkpoints.ts'
import { FORGET_AFTER_MS, type Pumped } from './pump/pump.ts'
import { Pumping } from './pump/pumping.ts'
import { openStores, type Stores } from './stores.ts'
import type { PhoneTopics } from './topics.ts'
import type { WindowCounters } from './windows/counters.ts'
import { sensorFilter } from './wire/sensors.ts'

export interface PipelineDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly fs?: FileSystem
  /** Of each record that has become rows. */
  readonly onPumped?: (record: JournalRecord, pumped: Pumped) => void
}

/** What happened since the start; in the windows also before. */
export interface PipelineCounters extends Readonly<IntakeCounters>, Readonly<WindowCounters> {
  readonly dead_letters: number
  /** Rows for which there was no room any more. */
  readonly given_up: number
}

/** From a message to its rows: intake, journal, pump, delivery. What brings messages and takes rows is others' affair. */
export interface Pipeline {
  readonly intake: Intake
  readonly delivery: Delivery
  readonly journal: Pick<Journal, 'busyMs'>
  counters(): PipelineCounters
  /** Of the journal: the same for as long as its numbers mean the same. */
  readonly name: string
  /** Rejects when nothing can be kept any more: the process must end. Never settles otherwise. */
  readonly failed: Promise<never>
  /** Takes no more, and writes down what is not in the table. */
  close(): Promise<void>
}

/** What backlog goes a multiple as fast as: ms between two rows of one phone. */
const ROW_INTERVAL_MS = { messages: 100, samples: 2, seconds: 100, none: 1_000 }

export async function openPipeline(
  settings: PhoneSettings,
  topics: Topics,
  phoneTopics: PhoneTopics,
  { clock, log, random, fs = nodeFileSystem(), onPumped = () => undefined }: PipelineDeps,
): Promise<Pipeline> {
  const stores = await openStores(settings, { clock, log, fs })
  const { journal, pump, recognition, seen, rows, isNamedAnew } = stores
  const life = new Lifecycle()
  life.own('the journal', journal, () => journal.close())
  const limits = { maxBytes: settings.memory_max_bytes, rowIntervalMs: ROW_INTERVAL_MS[settings.raw] }
  const delivery = new Delivery(limits, topics, phoneTopics, { clock, log, random })
  life.own('the senders', delivery, () => delivery.close())
  if (rows !== undefined) await delivery.resume(rows.made, rows.rows, rows.bridgeSeen)
  const deadLetters = new DeadLetterFile(settings.dir, settings.dead_letters_max_bytes, log)
  life.own('the dead letters', deadLetters, () => deadLetters.close())
  const { dir } = settings
  const parts = { clock, log, fs, dir, journal, pump, recogniser: recognition, seen, delivery }
  const checkpoints = new Checkpoints(settings.log_max_bytes, parts)
  // Rows bear the journal's name: it is written down before the first of them is made.
  if (isNamedAnew) {
    await checkpoints.now().catch(async (error: unknown) => {
      await life.close()
      throw error
    })
  }
  life.own('the snapshots', checkpoints, () => checkpoints.close())
  const pumping = new Pumping({ journal, pump, delivery, onPumped })
  life.own('the pump', pumping, () => pumping.close())
  const silence = new Silence(settings.idle_flush, {
    clock,
    log,
    end: (deviceId, sessionId) => journal.append({ kind: 'idle', at: clock.now(), deviceId, sessionId }),
  })
  life.own('the watch for silence', silence, () => silence.close())
  const rates = new Rates({ messagesPerS: settings.max_messages_per_s, bytesPerS: settings.max_bytes_per_s }, clock)
  const intake = new Intake(
    { maxBytes: settings.body_max_bytes, devices: settings.devices, keeps: keepsOf(settings) },
    {
      clock,
      log,
      journal,
      seen,
      deadLetters,
      rates,
      hasRoomFor: (deviceId) => hasRoomFor(deviceId, stores, settings.max_devices, clock.now()),
      onHeard: ({ deviceId, sessionId }) => silence.heard(deviceId, sessionId),
    },
  )
  for (const { deviceId, sessionId } of stores.open) silence.heard(deviceId, sessionId)
  pumping.start()
  checkpoints.start()
  silence.start()
  return {
    intake,
    delivery,
    journal,
    counters: () => ({
      ...intake.counters,
      ...recognition.counters,
      dead_letters: deadLetters.total,
      given_up: delivery.givenUp,
    }),
    name: pump.state().journal,
    failed: Promise.race([journal.failed, pumping.failed]),
    close: () => life.close(),
  }
}

function keepsOf({ sensors, drop_sensors: drop }: PhoneSettings): (sensor: string) => boolean {
  return sensorFilter(sensors.length === 0 ? { drop } : { only: sensors, drop })
}

/** A phone that is known, or one more, or one in the place of another that has been silent for long. */
function hasRoomFor(deviceId: string, { pump }: Stores, most: number, now: number): boolean {
  if (pump.size < most || pump.knows(deviceId)) return true
  return pump.phones.some(({ heardAt }) => now - heardAt >= FORGET_AFTER_MS)
}
