import type { Clock } from '../src/clock.ts'
import { counted } from '../src/counted.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { messageOf } from '../src/errors.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import type { Log } from '../src/log.ts'
import { type IncomingMessage, type MqttLink, openMqttLink } from '../src/mqtt-link.ts'
import type { Wellbeing } from '../src/notify.ts'
import { createTopics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import { within } from '../src/within.ts'
import type { PhoneSections } from './config.ts'
import { Delivery } from './delivery/delivery.ts'
import { OFFLINE, Phones } from './home-assistant/phones.ts'
import { DeadLetterFile } from './intake/dead-letter-file.ts'
import { Intake, type IntakeCounters } from './intake/intake.ts'
import { Rates } from './intake/rates.ts'
import { Silence } from './intake/silence.ts'
import { Checkpoints } from './pump/checkpoints.ts'
import { FORGET_AFTER_MS } from './pump/pump.ts'
import { Pumping } from './pump/pumping.ts'
import { createEndpoint } from './receiver/endpoint.ts'
import { mustBeGuarded, openReceiver } from './receiver/server.ts'
import { openStores, type Stores } from './stores.ts'
import { createPhoneTopics } from './topics.ts'
import { sensorFilter } from './wire/sensors.ts'

export interface PhoneDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly fs?: FileSystem
}

export interface PhoneReceiver {
  readonly port: number
  counters(): Readonly<IntakeCounters>
  wellbeing(): Wellbeing
  /** Rejects when nothing can be kept any more: the program must end. Never settles otherwise. */
  readonly failed: Promise<never>
  /** Takes no more, sends what it can for a moment, and writes down the rest. */
  close(): Promise<void>
}

/** A disk that takes so long hangs. */
const STUCK_AFTER_MS = 30_000
/** Bounds of the steps of `close`. */
const ANSWER_MS = 3_000
const SETTLE_MS = 3_000
const GOODBYE_MS = 1_000
/** Messages of the app's own topics under way to the disk at a time: those that come together are synced together. */
const UNACKNOWLEDGED = { messages: 200, bytes: 16 * 1024 * 1024 }
/** What backlog goes a multiple as fast as: ms between two rows of one phone. */
const ROW_INTERVAL_MS = { messages: 100, samples: 2, seconds: 100, none: 1_000 }

export async function startPhoneReceiver(sections: PhoneSections, deps: PhoneDeps): Promise<PhoneReceiver> {
  const { phone: settings, mqtt } = sections
  mustBeGuarded(settings)
  const { clock, log, random, fs = nodeFileSystem() } = deps
  const life = new Lifecycle()
  try {
    const topics = createTopics(mqtt.base_topic, mqtt.discovery_prefix)
    const phoneTopics = createPhoneTopics(settings.topic, topics)
    const stores = await openStores(settings, { clock, log, fs })
    const { journal, pump, recognition, seen, snapshot } = stores
    life.own('the journal', journal, () => journal.close())

    const limits = { maxBytes: settings.memory_max_bytes, rowIntervalMs: ROW_INTERVAL_MS[settings.raw] }
    const delivery = new Delivery(limits, topics, phoneTopics, { clock, log, random })
    life.own('the senders', delivery, () => delivery.close())
    if (snapshot !== undefined) await delivery.resume(pump.made(), snapshot.rows, snapshot.bridgeSeen)
    const deadLetters = new DeadLetterFile(settings.dir, settings.dead_letters_max_bytes, log)
    life.own('the dead letters', deadLetters, () => deadLetters.close())
    const checkpoints = new Checkpoints(settings.log_max_bytes, {
      clock,
      log,
      fs,
      dir: settings.dir,
      journal,
      pump,
      recogniser: recognition,
      seen,
      delivery,
    })
    // Rows bear the journal's name: it is written down before the first of them is made.
    if (snapshot === undefined) await checkpoints.now()
    life.own('the snapshots', checkpoints, () => checkpoints.close())

    const phones = new Phones(sections.home_assistant.enabled, phoneTopics, { clock, log, random, version: VERSION })
    life.own("Home Assistant's view", phones, () => phones.close())
    const pumping = new Pumping({
      journal,
      pump,
      delivery,
      onPumped: (record, { phone, readings, activities }) => {
        if (record.kind === 'message' && phone !== undefined) phones.heard(phone, readings, activities)
      },
    })
    life.own('the pump', pumping, () => pumping.close())
    const silence = new Silence(settings.idle_flush, {
      clock,
      log,
      end: (deviceId, sessionId) => journal.append({ kind: 'idle', at: clock.now(), deviceId, sessionId }),
    })
    for (const { deviceId, sessionId } of stores.open) silence.heard(deviceId, sessionId)
    life.own('the watch for silence', silence, () => silence.close())
    const intake = new Intake(
      { devices: settings.devices, keeps: keepsOf(settings) },
      {
        clock,
        log,
        journal,
        seen,
        deadLetters,
        rates: new Rates({ messagesPerS: settings.max_messages_per_s, bytesPerS: settings.max_bytes_per_s }, clock),
        hasRoomFor: (deviceId) => hasRoomFor(deviceId, stores, settings.max_devices, clock.now()),
        onStored: ({ deviceId, sessionId }) => silence.heard(deviceId, sessionId),
      },
    )
    pumping.start()
    checkpoints.start()
    silence.start()

    const link: MqttLink = await openMqttLink(
      mqtt,
      {
        clientId: `snowhat-phone-${pump.state().journal}`,
        will: { topic: phoneTopics.availability, payload: OFFLINE },
        unacknowledged: UNACKNOWLEDGED,
        onConnect: async () => {
          log.info({ url: mqtt.url }, 'connected to the MQTT broker')
          if (settings.mqtt_topics.length > 0) await link.subscribe(settings.mqtt_topics)
          await Promise.all([delivery.connected(link), phones.connected(link)])
        },
        onDisconnect: () => {
          delivery.disconnected()
          phones.disconnected()
        },
        onMessage: async (message: IncomingMessage) => {
          if (phones.message(message) || (await delivery.message(message))) return
          // A filter of the user's that is wide brings our own words too.
          const own = [settings.topic, mqtt.base_topic, mqtt.discovery_prefix]
          if (!own.some((base) => message.topic.startsWith(`${base}/`))) await intake.take(message.payload, 'mqtt')
        },
      },
      { clock, log, random },
    )
    life.own('the connection to the broker', link, () => within(GOODBYE_MS, clock, () => link.close()))
    const wellbeing = (): Wellbeing => ({
      status: `${link.connected ? 'connected to the broker' : 'waiting for the broker'}; ${counted(intake.counters.messages, 'message')} taken, ${delivery.size} rows not yet in the table`,
      stuck:
        journal.busyMs < STUCK_AFTER_MS
          ? undefined
          : `the disk has been busy for ${Math.round(journal.busyMs / 1_000)} s`,
    })
    const endpoint = createEndpoint(
      { token: settings.token, maxBodyBytes: settings.body_max_bytes },
      { log, intake, wellbeing },
    )
    const server = await openReceiver(settings, endpoint, clock)
    life.own('the receiver', server, () => server.close(ANSWER_MS))

    let closing: Promise<void> | undefined
    const stop = async () => {
      silence.close()
      await server.close(ANSWER_MS)
      if (link.connected) await within(SETTLE_MS, clock, (signal) => delivery.settled(signal))
      if (link.connected) await within(GOODBYE_MS, clock, () => phones.leave())
      await life.close()
    }
    return {
      port: server.port,
      counters: () => intake.counters,
      wellbeing,
      failed: Promise.race([journal.failed, pumping.failed]),
      close: () => {
        closing ??= stop().catch((error: unknown) => log.error({ reason: messageOf(error) }, 'the stop was not clean'))
        return closing
      },
    }
  } catch (error) {
    await life.close().catch(() => undefined)
    throw error
  }
}

function keepsOf({ sensors, drop_sensors: drop }: PhoneSections['phone']): (sensor: string) => boolean {
  return sensorFilter(sensors.length === 0 ? { drop } : { only: sensors, drop })
}

/** A phone that is known, or one more, or one in the place of another that has been silent for long. */
function hasRoomFor(deviceId: string, { pump }: Stores, most: number, now: number): boolean {
  const { phones } = pump
  if (phones.length < most || phones.some((phone) => phone.deviceId === deviceId)) return true
  return phones.some(({ heardAt }) => now - heardAt >= FORGET_AFTER_MS)
}
