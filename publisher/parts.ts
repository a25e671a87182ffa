import { homedir } from 'node:os'
import type { Clock } from '../src/clock.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { Events } from '../src/events.ts'
import type { Log } from '../src/log.ts'
import { Sender } from '../src/outbox/sender.ts'
import { randomId } from '../src/random-id.ts'
import type { Reading } from '../src/reading.ts'
import { createTopics, type Topics } from '../src/topics.ts'
import { VERSION } from '../src/version.ts'
import { type Board, type BoardDeps, openBoard } from './board.ts'
import { type BootClock, openBootClock } from './boot-clock.ts'
import type { InertialCalibration } from './calibration/inertial-calibration.ts'
import { knownCalibration } from './calibration/known-calibration.ts'
import { type ClockSync, NOT_BEFORE_MS, openClockSync } from './clock-sync.ts'
import { ClockWait } from './clock-wait.ts'
import { type Commanded, Commands, type Thing } from './commands.ts'
import type { PublisherSections } from './config.ts'
import type { PublisherEvents } from './events.ts'
import { compensatedKeys, heatCompensation } from './heat-compensation.ts'
import { discoveryDocument } from './home-assistant/device-document.ts'
import { BootTime, type Info, type LastingInfo, lastingInfo } from './home-assistant/info.ts'
import { Presence } from './home-assistant/presence.ts'
import { type HostMetrics, openHostMetrics } from './host-metrics.ts'
import { type Identity, readIdentity } from './identity.ts'
import { Intervals } from './intervals.ts'
import { KeptIntervals } from './kept-intervals.ts'
import { screenSettings } from './matrix/config.ts'
import { PanelWatch } from './matrix/drivers/panel-watch.ts'
import { publishedLight } from './matrix/light-state.ts'
import { createReadingMaker, type ReadingMaker } from './measure.ts'
import { openOutbox } from './open-outbox.ts'
import { KeptGyroBias } from './orientation/kept-gyro-bias.ts'
import { PoseFollower } from './orientation/pose-follower.ts'
import type { Outbox } from './outbox.ts'
import { Panel, type PanelParts } from './panel.ts'
import { PanelStatus } from './panel-status.ts'
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
  /** Directory that stands for `/` where the board's kernel drivers are looked for; another one only in tests. */
  readonly root?: NonNullable<BoardDeps['root']>
  /** The matrix and the joystick, where they are not those of the board. */
  readonly panel?: PanelParts
  /** Ends this life and begins another; `undefined` where nobody would. */
  readonly restart?: () => void
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
  readonly sender: Sender<Reading>
  readonly clockWait: ClockWait
  /** `undefined` where nobody follows the pose. */
  readonly follower: PoseFollower | undefined
  readonly panel: Panel
  /** `undefined` where the panel cannot change, or nobody would start again with another one. */
  readonly panelWatch: PanelWatch | undefined
  /** `undefined` without an LED matrix. */
  readonly status: PanelStatus | undefined
  readonly presence: Presence
  readonly commands: Commands
  readonly intervals: Intervals
  readonly keptIntervals: KeptIntervals
  readonly keptBias: KeptGyroBias
  /** Who takes the readings is to be told of another interval. */
  onIntervals(act: () => void): void
}

export async function assemble(sections: PublisherSections, deps: PublisherDeps): Promise<Parts> {
  const { publisher: settings, mqtt } = sections
  const { clock, random, version = VERSION } = deps
  const identity = await readIdentity(settings.hostname, deps.identity)
  const { hostname } = identity
  const stream = (deps.newId ?? randomId)(8)
  const log = deps.log.child({ component: 'publisher', device: hostname, stream })
  const events = new Events<PublisherEvents>(log)
  const topics = createTopics(mqtt.base_topic, mqtt.discovery_prefix)
  const onDisk = deps.fs === undefined ? {} : { fs: deps.fs }

  const machine = deps.hostMetrics ?? (await openHostMetrics({ root: '/' }, clock))
  const bootTime = new BootTime((await machine.read()).uptime_s, clock)
  const boot = deps.bootClock ?? openBootClock('/')
  let newest: () => number | null = () => null
  const notBefore = () => Math.max(NOT_BEFORE_MS, newest() ?? 0)
  const sync = deps.clockSync ?? (await openClockSync({ root: '/', notBefore }, clock, boot))
  const look = screenSettings(sections.matrix)
  const calibration = await knownCalibration(settings, { home: homedir, root: '/' }, log)
  const method = heatCompensation(settings, calibration.heat)
  // The last two that may fail: from here on somebody has to close them.
  const board = await openBoard(settings, hostname, machine, { ...deps, log, calibration: calibration.inertial })
  const { sensors, inertia, host } = board
  const whose = { hostname, boot: boot.boot }
  const outbox = await openOutbox(settings, whose, { clock, log, ...onDisk }).catch(async (error: unknown) => {
    await Promise.all([board.panel.matrix?.close(), board.panel.joystick?.close()])
    await sensors.close()
    throw error
  })
  const { simulate } = settings
  const { mounting, declination } = calibration.inertial
  const owner = { simulated: simulate, mounting }
  const keptBias = new KeptGyroBias(settings.outbox_dir, owner, { clock, log, ...onDisk })
  // The older guess is that of an RTIMULib.ini.
  const gyroBias = await keptBias.read(calibration.inertial.gyroBias)
  const follower = await followed(inertia, settings.orientation_rate, { declination, gyroBias }, { clock, log })
  const compensation = method && { method, now: () => clock.monotonic() }
  const maker = createReadingMaker(identity, stream, simulate, {
    log,
    sensors,
    host,
    follower,
    declination,
    compensation,
  })
  newest = () => outbox.notes.newest_ms
  const configured = { interval: settings.reading_interval, state_interval: settings.state_interval }
  const kept = new KeptIntervals(settings.outbox_dir, configured, { log, ...onDisk })
  const intervals = new Intervals(await kept.read())
  // Nothing is waited for between this and `presence`: a press may come at any time.
  const panel = new Panel(deps.panel ?? board.panel, look, {
    clock,
    log,
    onPress: (event) => void presence.tellPress(event),
  })
  // Home Assistant is told at a start what this Pi has: so another panel is another start. Not by itself where that could lose
  // readings, nor where the end is near anyway.
  const mayRestart = outbox.durable && settings.max_batches === 0 && deps.panel === undefined
  const restart = mayRestart ? deps.restart : undefined
  const panelWatch =
    board.lookForPanel && restart && new PanelWatch(board.lookForPanel, panel.via, restart, { clock, log })
  const sender = new Sender(hostname, topics, intervals.readingMs, { clock, log, random, events, outbox })
  const onSettled = () => sender.letGo()
  const clockWait = new ClockWait(settings.clock_wait, { clock, boot, sync, outbox, log, onSettled })

  const lasting = lastingInfo({ identity, stream, version, simulated: simulate }, sensors, panel.via)
  const { screen } = panel
  const about = {
    identity,
    version,
    board: sensors.board,
    keys: new Set([...sensors.keys, ...host.keys, ...compensatedKeys(method, sensors, host)]),
    bootTimeKnown: bootTime.isTold,
    hasMatrix: screen !== undefined,
    hasJoystick: panel.via.joystick !== null,
    canRestart: deps.restart !== undefined,
  }
  const document = () => discoveryDocument({ ...about, stateIntervalMs: intervals.stateMs }, topics)
  const info = () => infoNow(lasting, bootTime, { sensors, maker, outbox, clockWait, panel, presence })
  const presence: Presence = new Presence(
    {
      hostname,
      stream,
      document: sections.home_assistant.enabled ? document : undefined,
      intervals,
      info,
      led: screen && (() => publishedLight(screen.lightState)),
    },
    topics,
    { clock, log, random },
  )
  const fare = () => ({
    connected: sender.isConnected,
    held: outbox.size,
    gone: sender.committed + outbox.givenUp,
    trouble: info().problems.length > 0,
  })
  const status = screen && new PanelStatus(fare, (now) => screen.status(now), clock)
  let retime: () => void = () => undefined
  const commanded: Commanded = {
    screen,
    restart: deps.restart,
    interval: (which, payload) => {
      intervals.change(which, payload)
      sender.liveAt(intervals.readingMs)
      retime()
      void kept.write(intervals.set)
    },
  }
  const commands = new Commands(hostname, topics, commanded, { log, onDone: (thing) => void tellOf(thing, presence) })
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
    follower,
    panel,
    panelWatch,
    status,
    presence,
    commands,
    intervals,
    keptIntervals: kept,
    keptBias,
    onIntervals: (act) => {
      retime = act
    },
  }
}

/** The pose is known when it resolves; `undefined` at a rate of 0. */
async function followed(
  inertia: Board['inertia'],
  rate: number,
  { declination, gyroBias }: Pick<InertialCalibration, 'declination' | 'gyroBias'>,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<PoseFollower | undefined> {
  if (rate === 0) return undefined
  const follower = new PoseFollower(inertia, { rate, declination, gyroBias }, deps)
  await follower.begun
  return follower
}

/** Also after a command that was refused: who sent it sees what is. */
async function tellOf(thing: Thing, presence: Presence): Promise<void> {
  if (thing === 'led') await presence.tellLight()
  else if (thing === 'interval' || thing === 'state_interval') await presence.intervalsChanged()
}

const GIVEN_UP = {
  full: 'readings were given up: the outbox was full',
  alone: 'readings were given up: the outbox was full, or no bridge has come to take them',
}

function infoNow(
  lasting: LastingInfo,
  bootTime: BootTime,
  {
    sensors,
    maker,
    outbox,
    clockWait,
    panel,
    presence,
  }: Pick<Parts, 'sensors' | 'maker' | 'outbox' | 'clockWait' | 'panel' | 'presence'>,
): Info {
  const problems = [
    ...(maker.failing ? ['the sensors do not answer'] : []),
    ...sensors.problems,
    ...(clockWait.isHoldingUp ? ['the clock is not set yet: readings wait for it'] : []),
    ...(outbox.givenUp > 0 ? [GIVEN_UP[outbox.notes.bridge_seen ? 'full' : 'alone']] : []),
    ...panel.problems,
    ...presence.problems,
  ]
  const { size: readings, givenUp: given_up, durable } = outbox
  const booted_at = bootTime.at(!clockWait.isWaiting)
  return { ...lasting, booted_at, problems, sensors: sensors.health, outbox: { readings, given_up, durable } }
}
