import type { Clock } from '../src/clock.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { Events } from '../src/events.ts'
import type { Log } from '../src/log.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import { randomId } from '../src/random-id.ts'
import { createTopics, type Topics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import { type BootClock, openBootClock } from './boot-clock.ts'
import { type ClockSync, NOT_BEFORE_MS, openClockSync } from './clock-sync.ts'
import { ClockWait } from './clock-wait.ts'
import type { PublisherSettings } from './config.ts'
import type { PublisherEvents } from './events.ts'
import { discoveryDocument } from './home-assistant/device-document.ts'
import { bootTime, type Info, lastingInfo } from './home-assistant/info.ts'
import { Presence } from './home-assistant/presence.ts'
import { type HostMetrics, openHostMetrics } from './host-metrics.ts'
import { type Identity, readIdentity } from './identity.ts'
import { createReadingMaker, type ReadingMaker } from './measure.ts'
import { openOutbox } from './open-outbox.ts'
import type { Outbox } from './outbox.ts'
import { Sender } from './sender.ts'
import { openSimulatedBoard } from './simulated-board.ts'

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
  readonly board: string
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
  const { sensors, host } = openSimulatedBoard(settings, hostname, machine, clock)
  const maker = createReadingMaker(identity, stream, true, { log, sensors, host })
  const bootedAt = bootTime((await host.read()).uptime_s, clock)
  const boot = deps.bootClock ?? openBootClock('/')
  let newest: () => number | null = () => null
  const notBefore = () => Math.max(NOT_BEFORE_MS, newest() ?? 0)
  const sync = deps.clockSync ?? (await openClockSync({ root: '/', notBefore }, clock, boot))
  // Last of what may fail: from here on somebody has to close it.
  const whose = { hostname, boot: boot.boot }
  const outbox = await openOutbox(settings, whose, { clock, log, ...(deps.fs === undefined ? {} : { fs: deps.fs }) })
  newest = () => outbox.notes.newest_ms
  const sender = new Sender(hostname, topics, readingIntervalMs, { clock, log, random, events, outbox })
  const onSettled = () => sender.letGo()
  const clockWait = new ClockWait(settings.clock_wait, { clock, boot, sync, outbox, log, onSettled })

  const lasting = lastingInfo({ identity, stream, version, simulated: true, bootedAt }, sensors)
  const keys = new Set([...sensors.keys, ...host.keys])
  const about = { identity, version, board: sensors.board, keys, stateIntervalMs, bootTimeKnown: bootedAt !== null }
  const presence = new Presence(
    {
      hostname,
      document: discoveryDocument(about, topics),
      settings: { interval: readingIntervalMs / 1000, state_interval: stateIntervalMs / 1000 },
      info: () => infoNow(lasting, maker, outbox, clockWait),
      stateIntervalMs,
      readingIntervalMs,
    },
    topics,
    { clock, log, random },
  )
  const { board } = sensors
  return { hostname, stream, log, events, topics, board, maker, outbox, sender, clockWait, presence, readingIntervalMs }
}

const GIVEN_UP = {
  full: 'readings were given up: the outbox was full',
  alone: 'readings were given up: the outbox was full, or no bridge has come to take them',
}

function infoNow(
  lasting: Omit<Info, 'problems' | 'outbox'>,
  maker: ReadingMaker,
  outbox: Outbox,
  clockWait: ClockWait,
): Info {
  const problems = [
    ...(maker.failing ? ['the sensors do not answer'] : []),
    ...(clockWait.isHoldingUp ? ['the clock is not set yet: readings wait for it'] : []),
    ...(outbox.givenUp > 0 ? [GIVEN_UP[outbox.notes.bridge_seen ? 'full' : 'alone']] : []),
  ]
  const { size: readings, givenUp: given_up, durable } = outbox
  return { ...lasting, problems, outbox: { readings, given_up, durable } }
}
