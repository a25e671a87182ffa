import { counted } from '../src/counted.ts'
import { messageOf } from '../src/errors.ts'
import type { Events } from '../src/events.ts'
import { type MqttLink, openMqttLink } from '../src/mqtt-link.ts'
import type { Wellbeing } from '../src/notify.ts'
import type { Reading } from '../src/reading.ts'
import { within } from '../src/within.ts'
import { type PublisherSections, READINGS_PER_BATCH } from './config.ts'
import type { PublisherEvents } from './events.ts'
import { clientIdOf, willOf } from './home-assistant/availability.ts'
import { assemble, type Parts, type PublisherDeps } from './parts.ts'
import { type Sampler, startSampler } from './sampler.ts'
import { checkSettings } from './start-conditions.ts'

export type { PublisherEvents } from './events.ts'
export type { HostMetrics } from './host-metrics.ts'
export type { Identity } from './identity.ts'
export type { PublisherDeps } from './parts.ts'

export interface PublisherStats {
  /** Readings taken. */
  readonly taken: number
  /** Readings the broker has acknowledged, each counted once. */
  readonly delivered: number
  /** Readings held. */
  readonly outbox: number
  /** Readings the ledger has listed as committed. */
  readonly committed: number
  readonly givenUp: number
}

export interface Publisher {
  readonly hostname: string
  readonly stream: string
  readonly events: Events<PublisherEvents>
  stats(): PublisherStats
  latest(): Reading | undefined
  /** Whether readings are taken and reach the outbox, whatever becomes of them later. */
  wellbeing(): Wellbeing
  /** Readings outlive the program. */
  readonly durable: boolean
  /** A bridge is there, or was. */
  bridgeSeen(): boolean
  /** No reading is taken after the one at work. */
  stopSampling(): void
  /** Resolves when every reading held is in the table, or when the signal aborts. */
  drained(signal?: AbortSignal): Promise<void>
  /** Resolves when `max_batches` are taken; never when there is no such limit. */
  readonly finished: Promise<void>
  /** Rejects when the outbox can keep nothing any more: the program must end. Never settles otherwise. */
  readonly failed: Promise<never>
  /** Sends what is outstanding if it can, says `offline`, disconnects. Bounded, also when the broker is away. */
  close(): Promise<void>
}

/** A reading takes tens of milliseconds, and a bus or a disk that is slow some seconds. */
const STUCK_AFTER_MS = 30_000
/** Bounds of the steps of `close`. */
const SETTLE_AT_CLOSE_MS = 3_000
const GOODBYE_MS = 1_000

export async function startPublisher(sections: PublisherSections, deps: PublisherDeps): Promise<Publisher> {
  const { publisher: settings, mqtt } = sections
  checkSettings(settings)
  const parts = await assemble(sections, deps)
  const { hostname, stream, events, log, outbox, sender, sensors, clockWait } = parts
  const link = await connect(parts, mqtt, deps).catch(async (error: unknown) => {
    sender.close()
    await closePanel(parts)
    await clockWait.close()
    await outbox.close()
    await parts.follower?.close()
    await sensors.close()
    throw error
  })

  let taken = 0
  let latest: Reading | undefined
  const takeOne = async () => {
    const moment = await clockWait.moment()
    const reading = await parts.maker.take(moment)
    taken++
    latest = reading
    events.emit('reading:taken', reading)
    // Beside the schedule, so that a slow broker does not hold up the next reading; and whatever the disk is busy with.
    void parts.presence.taken(reading)
    parts.panel.screen?.values(reading)
    parts.keptBias.learned(parts.follower?.pose.gyroBias ?? null)
    await sender.submit(...clockWait.asKept(reading, moment))
  }
  const limit = settings.max_batches * READINGS_PER_BATCH
  const sampler = startSampler({ intervalMs: () => parts.intervals.readingMs, limit }, takeOne, {
    clock: deps.clock,
    log,
  })
  parts.onIntervals(() => sampler.retime())
  log.info(
    { interval: parts.intervals.current.interval, board: sensors.board, outbox: settings.outbox_dir || 'in memory' },
    settings.simulate ? 'the publisher has started; its readings are simulated' : 'the publisher has started',
  )

  let sampled: Promise<void> | undefined
  let closing: Promise<void> | undefined
  return {
    hostname,
    stream,
    events,
    stats: () => ({
      taken,
      delivered: sender.delivered,
      outbox: outbox.size,
      committed: sender.committed,
      givenUp: outbox.givenUp,
    }),
    latest: () => latest,
    wellbeing: () => wellbeingOf(sampler, { taken, waiting: outbox.size, connected: link.connected }),
    durable: outbox.durable,
    bridgeSeen: () => sender.bridgeSeen,
    stopSampling: () => {
      sampled ??= sampler.stop()
    },
    drained: async (signal) => {
      // The reading at work when the sampling was stopped belongs to what is waited for.
      await sampled
      await clockWait.giveUp()
      await sender.drained(signal)
    },
    finished: sampler.finished,
    failed: outbox.failed,
    close: () => {
      closing ??= stop(sampler, link, parts, deps).catch((error: unknown) =>
        log.error({ reason: messageOf(error) }, 'the stop was not clean'),
      )
      return closing
    },
  }
}

function wellbeingOf(
  { pendingMs }: Sampler,
  { taken, waiting, connected }: { readonly taken: number; readonly waiting: number; readonly connected: boolean },
): Wellbeing {
  const broker = connected ? 'connected to the broker' : 'waiting for the broker'
  return {
    status: `${broker}; ${counted(taken, 'reading')} taken, ${waiting} not yet in the table`,
    stuck:
      pendingMs < STUCK_AFTER_MS
        ? undefined
        : `no reading has reached the outbox for ${Math.round(pendingMs / 1_000)} s`,
  }
}

async function connect(parts: Parts, mqtt: PublisherSections['mqtt'], deps: PublisherDeps): Promise<MqttLink> {
  const { hostname, stream, events, log, topics, sender, clockWait, commands, presence } = parts
  await clockWait.begin()
  const link: MqttLink = await openMqttLink(
    mqtt,
    {
      clientId: clientIdOf(hostname, stream),
      will: willOf(hostname, topics),
      onConnect: async () => {
        log.info({ url: mqtt.url }, 'connected to the MQTT broker')
        events.emit('broker:connected')
        clockWait.connected()
        await Promise.all([presence.connected(link), sender.connected(link), commands.connected(link)])
      },
      onDisconnect: () => {
        // Also called after an attempt that never was a connection.
        if (sender.isConnected) events.emit('broker:lost')
        presence.disconnected()
        sender.disconnected()
      },
      onMessage: async (message) => {
        if (commands.message(message)) return
        presence.message(message)
        await sender.message(message)
      },
    },
    { clock: deps.clock, log, random: deps.random },
  )
  return link
}

async function closePanel({ panel, panelWatch, status }: Parts): Promise<void> {
  status?.close()
  await panelWatch?.close()
  await panel.close()
}

async function stop(sampler: Sampler, link: MqttLink, parts: Parts, { clock }: PublisherDeps): Promise<void> {
  const { log, outbox, presence, sender, sensors, clockWait, follower } = parts
  await sampler.stop()
  await follower?.close()
  // On disk they wait for the next start, which may correct them.
  if (!outbox.durable) await clockWait.giveUp()
  await clockWait.close()
  if (link.connected) await within(SETTLE_AT_CLOSE_MS, clock, (signal) => sender.settled(signal))
  if (link.connected) await within(GOODBYE_MS, clock, () => presence.leave())
  presence.close()
  sender.close()
  await within(GOODBYE_MS, clock, () => link.close())
  await closePanel(parts)
  await sensors.close()
  await parts.keptIntervals.written()
  await parts.keptBias.close()
  await outbox.close()
  if (outbox.size > 0 && !outbox.durable)
    log.warn({ rows: outbox.size }, 'readings not known to be in the table; the outbox in memory ends here')
  log.info({ missed: sampler.missed }, 'the publisher has stopped')
}
