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
import { ManualClock } from '../../support/manual-clock.ts'
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
