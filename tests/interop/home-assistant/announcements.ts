import { bridgeDocument } from '../../../bridge/home-assistant/bridge-document.ts'
import { pipelineDocument } from '../../../bridge/home-assistant/pipeline-document.ts'
import { discoveryDocument } from '../../../publisher/home-assistant/device-document.ts'
import { stateOf } from '../../../publisher/home-assistant/state.ts'
import { HOST_KEYS, NOTHING_KNOWN } from '../../../publisher/host-metrics.ts'
import { LIGHT_AT_START, publishedLight } from '../../../publisher/matrix/light-state.ts'
import { createReadingMaker } from '../../../publisher/measure.ts'
import { openSimulator } from '../../../publisher/sensors/simulator.ts'
import type { HaDocument } from '../../../src/home-assistant/document.ts'
import { encodeHaDocument } from '../../../src/home-assistant/encode.ts'
import { silentLog } from '../../../src/log.ts'
import { identity, topics } from '../../publisher/support.ts'
import { LaneWorld } from '../../support/lane-world.ts'
import { ledger } from '../../support/ledgers.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { statusOf } from '../../support/status.ts'
import type { Case } from './judge.ts'

/** All that the interoperability tests know of the product: its documents, with what is published beside them. */
export interface Announcement extends Case {
  readonly document: HaDocument
  /** What Home Assistant is to show then, by component. */
  readonly shows: Readonly<Record<string, string>>
}

/** Every kind of document the product publishes. They are judged together, as in one house. */
export const ANNOUNCEMENTS: Readonly<Record<string, () => Promise<Announcement>>> = {
  'a Pi with a board v1': () => pi('pi-v1', 'v1', '02:00:00:00:00:01'),
  'a Pi with a board v2': () => pi('pi-v2', 'v2', '02:00:00:00:00:02'),
  "what the bridge adds to a Pi's device": pipeline,
  'the bridge': bridge,
}

const HOST = { cpu_percent: 12.3, memory_percent: 45.6, disk_usage_mb: 6789, cputempc: 51.2, wifi_rssi_dbm: -60 }
const BOOTED_AT = { published: '2026-01-02T03:04:00.000Z', shown: '2026-01-02T03:04:00+00:00' }

export async function pi(hostname: string, board: 'v1' | 'v2', macaddress: string): Promise<Announcement> {
  const clock = new ManualClock()
  const log = silentLog()
  const sensors = await openSimulator({ seed: 1, board, environment: 'indoor', altitude_m: 0 }, { clock, log })
  const host = { keys: HOST_KEYS, read: async () => ({ ...NOTHING_KNOWN, ...HOST }) }
  const self = { ...identity, hostname, macaddress }
  const maker = createReadingMaker(self, 'aaaaaaaa', true, { log, sensors, host })
  const state = stateOf(await maker.take({ epochMs: clock.now(), clock: 'synced' }))
  const document = discoveryDocument(
    {
      identity: self,
      version: '1.2.3',
      board: sensors.board,
      keys: new Set([...sensors.keys, ...host.keys]),
      stateIntervalMs: 10_000,
      bootTimeKnown: true,
      hasMatrix: true,
      hasJoystick: true,
      canRestart: true,
    },
    topics,
  )
  const own: Record<string, string> = {
    connectivity: 'on',
    problem: 'off',
    last_boot: BOOTED_AT.shown,
    interval: '1',
    state_interval: '10',
    led: 'off',
  }
  // Buttons that nobody has pressed, messages nobody has sent, a stick nobody has moved.
  const untouched = new Set(['button', 'notify', 'event'])
  return {
    topic: topics.deviceDiscovery(hostname),
    payload: encodeHaDocument(document),
    document,
    states: [
      { topic: topics.availability(hostname), payload: 'online', retain: true },
      {
        topic: topics.info(hostname),
        payload: JSON.stringify({ problems: [], booted_at: BOOTED_AT.published }),
        retain: true,
      },
      {
        topic: topics.settings(hostname),
        payload: JSON.stringify({ interval: 1, state_interval: 10 }),
        retain: true,
      },
      { topic: topics.led(hostname), payload: JSON.stringify(publishedLight(LIGHT_AT_START)), retain: true },
      { topic: topics.state(hostname), payload: JSON.stringify(state), retain: false },
    ],
    shows: Object.fromEntries(
      Object.entries(document.components).map(([key, { platform }]) => [
        key,
        untouched.has(platform) ? 'unknown' : (own[key] ?? String(state[key])),
      ]),
    ),
  }
}

const COMMITTED_AT = { published: '2026-01-02T03:04:05.678Z', shown: '2026-01-02T03:04:05+00:00' }

async function pipeline(): Promise<Announcement> {
  const document = pipelineDocument({ hostname: 'pi-v2', version: '1.2.3', underBridge: true }, topics)
  const said = ledger({ lag_seconds: 4, last_commit_at: COMMITTED_AT.published })
  return {
    topic: topics.pipelineDiscovery('pi-v2'),
    payload: encodeHaDocument(document),
    document,
    states: [
      { topic: topics.bridgeAvailability, payload: 'online', retain: true },
      { topic: topics.ledger('pi-v2'), payload: JSON.stringify(said), retain: true },
    ],
    shows: { missing: '0', rejected: '0', lag: '4', last_commit: COMMITTED_AT.shown },
  }
}

/** Of a bridge that has just started: what it does not know yet is unknown, and no problem. */
async function bridge(): Promise<Announcement> {
  const world = new LaneWorld()
  const input = { version: '1.2.3', url: 'http://nas:8080', currency: 'EUR', credentialExpires: true }
  const document = bridgeDocument(input, topics)
  const identity = { expiresAt: world.clock.now() + 365 * 86_400_000, clockSkewMs: 0 }
  const health = statusOf(world, { identity }).health()
  const closing = world.close()
  await world.clock.advance(60_000)
  await closing
  const { components } = document
  const off = Object.keys(components).filter((key) => components[key]?.platform === 'binary_sensor')
  return {
    topic: topics.bridgeDiscovery,
    payload: encodeHaDocument(document),
    document,
    states: [{ topic: topics.bridgeHealth, payload: JSON.stringify(health), retain: true }],
    shows: {
      ...Object.fromEntries(off.map((key) => [key, 'off'])),
      connection: 'on',
      snowflake: 'unknown',
      devices: '0',
      rows_waiting: '0',
      missing_today: '0',
      last_commit: 'unknown',
      flush: 'unknown',
    },
  }
}
