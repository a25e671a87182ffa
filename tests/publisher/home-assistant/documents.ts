import { joystickPart } from '../../../publisher/home-assistant/controls.ts'
import { type DiscoveryInput, discoveryDocument } from '../../../publisher/home-assistant/device-document.ts'
import { type Info, lastingInfo } from '../../../publisher/home-assistant/info.ts'
import { stateOf } from '../../../publisher/home-assistant/state.ts'
import type { MeasuredKey } from '../../../publisher/home-assistant/state-values.ts'
import { HOST_KEYS } from '../../../publisher/host-metrics.ts'
import { Intervals } from '../../../publisher/intervals.ts'
import { EFFECT_NAMES } from '../../../publisher/matrix/effects.ts'
import { DIRECTIONS, PRESS_TYPES } from '../../../publisher/matrix/joystick.ts'
import { LIGHT_AT_START, publishedLight } from '../../../publisher/matrix/light-state.ts'
import { BOARD_KEYS, NOTHING_MEASURED } from '../../../publisher/sensors/sensors.ts'
import { encodeHaDocument } from '../../../src/home-assistant/encode.ts'
import type { Topics } from '../../../src/topics.ts'
import type { TopicFacts } from '../../home-assistant/judge/case.ts'
import type { PublishedDocument } from '../../support/judged-document.ts'
import { identity, reading, topics as usualTopics } from '../support.ts'

export const COMPENSATED = ['temperature_compensated', 'humidity_compensated'] as const

/** A V2 board in a Pi that tells all there is. */
export const EVERYTHING: DiscoveryInput = {
  identity,
  version: '1.2.3',
  board: 'Sense HAT V2',
  keys: new Set<MeasuredKey>([...BOARD_KEYS.v2, ...HOST_KEYS, ...COMPENSATED]),
  stateIntervalMs: 10_000,
  bootTimeKnown: true,
  hasMatrix: true,
  hasJoystick: true,
  canRestart: true,
}

export function published(input: Partial<DiscoveryInput> = {}, topics: Topics = usualTopics): PublishedDocument {
  const about = { ...EVERYTHING, ...input }
  return {
    topic: topics.deviceDiscovery(about.identity.hostname),
    payload: encodeHaDocument(discoveryDocument(about, topics)),
    topics: promised(about, topics),
  }
}

/** Fields and samples of every topic, by the functions that make their payloads. */
function promised(about: DiscoveryInput, topics: Topics): Record<string, TopicFacts> {
  const node = about.identity.hostname
  const infos = [[], ['the sensors do not answer']].map((problems) => infoOf(about, problems))
  const intervals = new Intervals({ interval: 1, state_interval: about.stateIntervalMs / 1000 }).current
  const lights = EFFECT_NAMES.map((effect) => publishedLight({ ...LIGHT_AT_START, on: true, effect }))
  const presses = PRESS_TYPES.map((event_type) => ({ event_type }))
  return {
    [topics.availability(node)]: { retained: true, samples: ['online', 'offline'] },
    [topics.state(node)]: {
      ...payloads([stateOf(reading(1))]),
      intervalSeconds: about.stateIntervalMs / 1000,
    },
    [topics.info(node)]: { retained: true, ...payloads(infos) },
    [topics.settings(node)]: { retained: true, ...payloads([intervals]) },
    [topics.led(node)]: { retained: true, ...payloads([publishedLight(LIGHT_AT_START), ...lights]) },
    ...Object.fromEntries(
      DIRECTIONS.map((direction) => [topics.event(node, joystickPart(direction)), payloads(presses)]),
    ),
  }
}

function infoOf({ identity, version, board }: DiscoveryInput, problems: readonly string[]): Info {
  const about = { identity, version, stream: 'aaaaaaaa', simulated: false }
  const sensors = {
    keys: [],
    board,
    chips: ['HTS221'],
    problems: [],
    health: [],
    read: async () => NOTHING_MEASURED,
    close: async () => undefined,
  }
  return {
    ...lastingInfo(about, sensors, { leds: 'simulated', joystick: 'simulated' }),
    booted_at: '2026-11-22T12:00:00.000Z',
    problems,
    sensors: [],
    outbox: { readings: 0, given_up: 0, durable: true },
  }
}

function payloads(values: readonly object[]): Pick<TopicFacts, 'fields' | 'samples'> {
  return { fields: Object.keys(values[0] ?? {}), samples: values.map((value) => JSON.stringify(value)) }
}
