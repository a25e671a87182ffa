import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DiscoveryInput } from '../../../publisher/home-assistant/device-document.ts'
import type { MeasuredKey } from '../../../publisher/home-assistant/state-values.ts'
import { HOST_KEYS } from '../../../publisher/host-metrics.ts'
import { INTERVAL_RANGES } from '../../../publisher/intervals.ts'
import { BOARD_KEYS, SENSOR_KEYS, type SensorKey } from '../../../publisher/sensors/sensors.ts'
import { createTopics } from '../../../src/topics.ts'
import { judge } from '../../home-assistant/judge/judge.ts'
import { breaches, frozenIn, released } from '../../support/frozen-entities.ts'
import { judged, type PublishedDocument } from '../../support/judged-document.ts'
import { identity } from '../support.ts'
import { COMPENSATED, EVERYTHING, published } from './documents.ts'

const FROZEN = fileURLToPath(new URL('frozen-entities.json', import.meta.url))

/** What the chips of the board measure. */
const CHIPS: Readonly<Record<string, readonly SensorKey[]>> = {
  HTS221: ['temperature', 'humidity'],
  LPS25H: ['pressure', 'temperature_pressure'],
  'accelerometer and gyroscope of the LSM9DS1': ['accel_x', 'accel_y', 'accel_z', 'gyro_x', 'gyro_y', 'gyro_z'],
  'magnetometer of the LSM9DS1': ['mag_x', 'mag_y', 'mag_z'],
  TCS3400: BOARD_KEYS.v2.filter((key) => !BOARD_KEYS.v1.includes(key)),
}

function without(...gone: readonly MeasuredKey[]): Partial<DiscoveryInput> {
  return { keys: new Set([...EVERYTHING.keys].filter((key) => !gone.includes(key))) }
}

const NOTHING_TOLD = { ipaddress: null, macaddress: null, serial: null, model: null }

const called = (hostname: string): Partial<DiscoveryInput> => ({ identity: { ...identity, hostname } })

const VARIANTS: readonly (readonly [name: string, document: PublishedDocument])[] = [
  ['all there is', published()],
  ['a V1 board', published({ board: 'Sense HAT', keys: new Set([...BOARD_KEYS.v1, ...HOST_KEYS]) })],
  ['a V2 board', published({ keys: new Set([...BOARD_KEYS.v2, ...HOST_KEYS]) })],
  ...Object.entries(CHIPS).map(([chip, keys]) => [`no ${chip}`, published(without(...keys))] as const),
  ['no chip at all', published(without(...SENSOR_KEYS, ...COMPENSATED))],
  ['nothing of the machine', published({ ...without(...HOST_KEYS), bootTimeKnown: false })],
  ['no temperature of the processor, so nothing compensated', published(without('cputempc', ...COMPENSATED))],
  ['no matrix', published({ hasMatrix: false })],
  ['no joystick', published({ hasJoystick: false })],
  ['nobody who would restart it', published({ canRestart: false })],
  ['a machine that tells nothing of itself', published({ identity: { ...NOTHING_TOLD, hostname: 'pi-a' } })],
  ['an interval of an hour', published({ stateIntervalMs: 3_600_000 })],
  ['another prefix and base topic', published({}, createTopics('attic/hats', 'ha/discovery'))],
  ['a name with all that names may have', published(called('pi_2-a'))],
  ['the longest name', published(called('p'.repeat(63)))],
]

function findingsOf(document: PublishedDocument) {
  const [prefix = '', node = ''] = document.topic.split(/\/device\/|\/sensehat\/config/)
  return judged(document, { prefix, uniqueIds: new RegExp(`^sensehat_${node}_[a-z0-9_]+$`) })
}

interface Component {
  readonly platform: string
  readonly unique_id: string
  readonly name: string
}

function componentsOf({ payload }: PublishedDocument): Record<string, Component> {
  return (JSON.parse(payload) as { components: Record<string, Component> }).components
}

describe('the device document of a Pi, judged', () => {
  it.each(VARIANTS)('has no fault with %s', (_name, document) => {
    expect(findingsOf(document)).toEqual([])
  })

  it('has no fault whatever the board and the machine have', () => {
    const keys = fc.subarray([...EVERYTHING.keys]).map((some) => new Set(some))
    const { min, max } = INTERVAL_RANGES.state_interval
    const any = fc.record({
      keys,
      stateIntervalMs: fc.integer({ min: min * 1000, max: max * 1000 }),
      bootTimeKnown: fc.boolean(),
      hasMatrix: fc.boolean(),
      hasJoystick: fc.boolean(),
      canRestart: fc.boolean(),
    })
    fc.assert(
      fc.property(any, (input) => {
        expect(findingsOf(published(input))).toEqual([])
      }),
    )
  })

  it.each(VARIANTS)('gives no two entities of one platform one name, with %s', (_name, document) => {
    const names = Object.values(componentsOf(document)).map(({ platform, name }) => `${platform} ${name}`)
    expect(new Set(names).size).toBe(names.length)
  })

  it('calls the compensated value by the plain name where there is one, and the ids stay what they are', () => {
    const raw = componentsOf(published(without(...COMPENSATED)))
    const both = componentsOf(published())
    for (const [key, name] of [
      ['temperature', 'Temperature'],
      ['humidity', 'Humidity'],
    ] as const) {
      expect(raw[key]?.name).toBe(name)
      expect(raw).not.toHaveProperty(`${key}_compensated`)
      expect(both[`${key}_compensated`]?.name).toBe(name)
      expect(both[key]?.name).toBe(`${name} (sensor)`)
      expect(both[key]?.unique_id).toBe(raw[key]?.unique_id)
    }
  })

  it('of one Pi has nothing in common with that of another', () => {
    const [one, other] = [published(), published(called('pi-b'))]
    const others = new Map([[other.topic, other.payload]])
    expect(judge({ topic: one.topic, payload: one.payload }, { topics: one.topics, others })).toEqual([])
  })
})

/*
 * A CHANGE OR A REMOVAL HERE IS A BREAKING RELEASE: users lose the history of the entity and what they have built on it, and
 * Home Assistant keeps the old one as an orphan beside the new. Additions are no breach; at a release they are written into the
 * file by running this test with SNOWHAT_FREEZE=1, and hold from then on.
 */
describe('what Home Assistant remembers of a Pi', () => {
  it('is what it was at the last release: ids, keys, platforms, entity ids and topics', () => {
    const { topic, payload } = published()
    const now = frozenIn(topic, payload)
    const before = released(FROZEN, now)
    expect(Object.keys(before).length).toBeGreaterThan(150)
    expect(breaches(before, now), 'a breaking release: see above').toEqual([])
  })

  it('would not change or go unnoticed, and may grow', () => {
    const now = { 'a: unique_id': 'sensehat_pi-a_a', 'a: platform': 'sensor', identifiers: 'x' }
    expect(breaches(now, { ...now, 'b: unique_id': 'sensehat_pi-a_b' })).toEqual([])
    expect(breaches(now, { ...now, identifiers: 'y' })).toEqual(['identifiers was x and is y'])
    expect(breaches(now, { identifiers: 'x', 'a: platform': 'sensor' })).toEqual([
      'a: unique_id was sensehat_pi-a_a and is gone',
    ])
  })
})
