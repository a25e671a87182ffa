import { counted } from '../src/counted.ts'
import { messageOf } from '../src/errors.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import { type IncomingMessage, type MqttLink, openMqttLink } from '../src/mqtt-link.ts'
import type { Wellbeing } from '../src/notify.ts'
import { createTopics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import { within } from '../src/within.ts'
import type { PhoneSections } from './config.ts'
import { OFFLINE, Phones } from './home-assistant/phones.ts'
import { openPipeline, type Pipeline, type PipelineCounters, type PipelineDeps } from './pipeline.ts'
import { createEndpoint } from './receiver/endpoint.ts'
import { mustBeGuarded, openReceiver } from './receiver/server.ts'
import { createPhoneTopics, mustBeTheApps, type PhoneTopics, withoutCovered } from './topics.ts'

export type PhoneDeps = Omit<PipelineDeps, 'onPumped'>

export interface PhoneReceiver {
  readonly port: number
  counters(): PipelineCounters
  wellbeing(): Wellbeing
  /** Rejects when nothing can be kept any more: the process must end. Never settles otherwise. */
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

export async function startPhoneReceiver(sections: PhoneSections, deps: PhoneDeps): Promise<PhoneReceiver> {
  const { phone: settings, mqtt } = sections
  mustBeGuarded(settings)
  mustBeTheApps(settings.mqtt_topics, ownBases(sections))
  const { clock, log, random } = deps
  const topics = createTopics(mqtt.base_topic, mqtt.discovery_prefix)
  const phoneTopics = createPhoneTopics(sections.phones.topic, topics)
  const life = new Lifecycle()
  try {
    const phones = new Phones(sections.home_assistant.enabled, phoneTopics, { clock, log, random, version: VERSION })
    life.own("Home Assistant's view", phones, () => phones.close())
    const pipeline = await openPipeline(settings, topics, phoneTopics, {
      ...deps,
      onPumped: (record, { phone, readings, activities, forgotten }) => {
        for (const deviceId of forgotten) phones.forgot(deviceId)
        if (record.kind === 'message' && phone !== undefined) phones.heard(phone, readings, activities)
      },
    })
    life.own('the pipeline', pipeline, () => pipeline.close())
    const link = await connect(sections, pipeline, phones, phoneTopics, deps)
    life.own('the connection to the broker', link, () => within(GOODBYE_MS, clock, () => link.close()))
    const wellbeing = () => wellbeingOf(pipeline, link.connected)
    const { token, body_max_bytes: maxBodyBytes } = settings
    const { intake, counters } = pipeline
    const endpoint = createEndpoint({ token, maxBodyBytes }, { clock, log, intake, counters, wellbeing })
    const server = await openReceiver(settings, endpoint, clock)
    life.own('the receiver', server, () => server.close(ANSWER_MS))

    const stop = async () => {
      await server.close(ANSWER_MS)
      if (link.connected) await within(SETTLE_MS, clock, (signal) => pipeline.delivery.settled(signal))
      if (link.connected) await within(GOODBYE_MS, clock, () => phones.leave())
      await life.close()
    }
    let closing: Promise<void> | undefined
    return {
      port: server.port,
      counters: () => pipeline.counters(),
      wellbeing,
      failed: pipeline.failed,
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

function ownBases({ phones, mqtt }: PhoneSections): string[] {
  return [phones.topic, mqtt.base_topic, mqtt.discovery_prefix]
}

async function connect(
  sections: PhoneSections,
  { intake, delivery, name }: Pipeline,
  phones: Phones,
  phoneTopics: PhoneTopics,
  { clock, log, random }: PhoneDeps,
): Promise<MqttLink> {
  const { phone: settings, mqtt } = sections
  /** A filter of the user's that is wide brings our own words too. */
  const isOurs = (topic: string) => ownBases(sections).some((base) => topic.startsWith(`${base}/`))
  const filters = withoutCovered(settings.mqtt_topics)
  const link: MqttLink = await openMqttLink(
    mqtt,
    {
      clientId: `snowhat-phone-${name}`,
      will: { topic: phoneTopics.availability, payload: OFFLINE },
      unacknowledged: UNACKNOWLEDGED,
      onConnect: async () => {
        log.info({ url: mqtt.url }, 'connected to the MQTT broker')
        if (filters.length > 0) await link.subscribe(filters)
        await Promise.all([delivery.connected(link), phones.connected(link)])
      },
      onDisconnect: () => {
        delivery.disconnected()
        phones.disconnected()
      },
      onMessage: async (message: IncomingMessage) => {
        if (phones.message(message) || (await delivery.message(message)) || isOurs(message.topic)) return
        await intake.take(message.payload, 'mqtt')
      },
    },
    { clock, log, random },
  )
  return link
}

function wellbeingOf({ intake, delivery, journal }: Pipeline, connected: boolean): Wellbeing {
  const broker = connected ? 'connected to the broker' : 'waiting for the broker'
  const taken = `${counted(intake.counters.messages, 'message')} taken`
  const { busyMs } = journal
  return {
    status: `${broker}; ${taken}, ${counted(delivery.size, 'row')} not yet in the table`,
    stuck: busyMs < STUCK_AFTER_MS ? undefined : `the disk has been busy for ${Math.round(busyMs / 1_000)} s`,
  }
}
