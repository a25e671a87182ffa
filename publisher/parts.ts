import type { Clock } from '../src/clock.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { Events } from '../src/events.ts'
import type { Log } from '../src/log.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import { randomId } from '../src/random-id.ts'
import { createTopics, type Topics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import { type BoardDeps, openBoard } from './board.ts'
import { type BootClock, openBootClock } from './boot-clock.ts'
import { type ClockSync, NOT_BEFORE_MS, openClockSync } from './clock-sync.ts'
import { ClockWait } from './clock-wait.ts'
import type { PublisherSettings } from './config.ts'
import { discoveryDocument } from './discovery.ts'
import type { PublisherEvents } from './events.ts'
import { type HostMetrics, openHostMetrics } from './host-metrics.ts'
import { type Identity, readIdentity } from './identity.ts'
import { bootTime, type Info, type LastingInfo, lastingInfo } from './info.ts'
import { createReadingMaker, type ReadingMaker } from './measure.ts'
import { openOutbox } from './open-outbox.ts'
import type { Outbox } from './outbox.ts'
import { Presence } from './presence.ts'
import { Sender } from './sender.ts'
import type { Sensors } from './sensors/sensors.ts'

export interface PublisherDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly newId?: (length: number) => string
  /** What is given here is not asked of the machine: the demo runs several Pis in one process. */
  readonly identity?: Partial<Identity>
  readonly hostMetrics?: HostMetrics
  readonly bootClock?: BootClock
  readonly clockSync?: ClockSync
  readonly openBus?: NonNullable<BoardDeps['openBus']>
  /** Of this program, told in `info` and to Home Assistant; another one only in tests. */
  readonly version?: string
  /** The disk the outbox is on; another one only in tests. */
  readonly fs?: FileSystem
}

/** What a publisher is made of, before anything runs or connects. */
export interface Parts {
  readonly hostname: string
  readonly stream: string
  readonly log: Log
  readonly events: Events<PublisherEvents>
  readonly topics: Topics
  readonly sensors: Sensors
  readonly maker: ReadingMaker
  readonly outbox: Outbox
  readonly sender: Sender
  readonly clockWait: ClockWait
  readonly presence: Presence
  readonly readingIntervalMs: number
}

export async function assemble(settings: PublisherSettings, mqtt: MqttSettings, deps: PublisherDeps): Promise<Parts> {
  const { clock, random, version = VERSION } = deps
  const identity = await readIdentity(settings.hostname, deps.identity)
  const { hostname } = identity
  const stream = (deps.newId ?? randomId)(8)
  const log = deps.log.child({ component: 'publisher', device: hostname, stream })
  const events = new Events<PublisherEvents>(log)
  const topics = createTopics(mqtt.base_topic, mqtt.discovery_prefix)
  const readingIntervalMs = settings.reading_interval * 1000
  // A state cannot be newer than its reading.
  const stateIntervalMs = Math.max(settings.state_interval * 1000, readingIntervalMs)

  const machine = deps.hostMetrics ?? (await openHostMetrics({ root: '/' }, clock))
  const bootedAt = bootTime((await machine.read()).uptime_s, clock)
  const boot = deps.bootClock ?? openBootClock('/')
  let newest: () => number | null = () => null
  const notBefore = () => Math.max(NOT_BEFORE_MS, newest() ?? 0)
  const sync = deps.clockSync ?? (await openClockSync({ root: '/', notBefore }, clock, boot))
  // The last two that may fail: from here on somebody has to close them.
  const { sensors, host } = await openBoard(settings, hostname, machine, { ...deps, log })
  const whose = { hostname, boot: boot.boot }
  const fs = deps.fs === undefined ? {} : { fs: deps.fs }
  const outbox = await openOutbox(settings, whose, { clock, log, ...fs }).catch(async (error: unknown) => {
    await sensors.close()
    throw error
  })
  const { simulate } = settings
  const maker = createReadingMaker(identity, stream, simulate, { log, sensors, host })
  newest = () => outbox.notes.newest_ms
  const sender = new Sender(hostname, topics, readingIntervalMs, { clock, log, random, events, outbox })
  const onSettled = () => sender.letGo()
  const clockWait = new ClockWait(settings.clock_wait, { clock, boot, sync, outbox, log, onSettled })

  const lasting = lastingInfo({ identity, stream, version, simulated: simulate, bootedAt }, sensors)
  const keys = new Set([...sensors.keys, ...host.keys])
  const about = { identity, version, board: sensors.board, keys, stateIntervalMs, bootTimeKnown: bootedAt !== null }
  const presence = new Presence(
    {
      hostname,
      document: discoveryDocument(about, topics),
      settings: { interval: readingIntervalMs / 1000, state_interval: stateIntervalMs / 1000 },
      info: () => infoNow(lasting, { sensors, maker, outbox, clockWait }),
      stateIntervalMs,
      readingIntervalMs,
    },
    topics,
    { clock, log, random },
  )
  return {
    hostname,
    stream,
    log,
    events,
    topics,
    sensors,
    maker,
    outbox,
    sender,
    clockWait,
    presence,
    readingIntervalMs,
  }
}

const GIVEN_UP = {
  full: 'readings were given up: the outbox was full',
  alone: 'readings were given up: the outbox was full, or no bridge has come to take them',
}

function infoNow(
  lasting: LastingInfo,
  { sensors, maker, outbox, clockWait }: Pick<Parts, 'sensors' | 'maker' | 'outbox' | 'clockWait'>,
): Info {
  const problems = [
    ...(maker.failing ? ['the sensors do not answer'] : []),
    ...sensors.problems,
    ...(clockWait.isHoldingUp ? ['the clock is not set yet: readings wait for it'] : []),
    ...(outbox.givenUp > 0 ? [GIVEN_UP[outbox.notes.bridge_seen ? 'full' : 'alone']] : []),
  ]
  const { size: readings, givenUp: given_up, durable } = outbox
  return { ...lasting, problems, sensors: sensors.health, outbox: { readings, given_up, durable } }
}
