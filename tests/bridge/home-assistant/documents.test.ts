import { describe, expect, it } from 'vitest'
import { type BridgeDocumentInput, bridgeDocument } from '../../../bridge/home-assistant/bridge-document.ts'
import { pipelineDocument } from '../../../bridge/home-assistant/pipeline-document.ts'
import { ALERT_CODES } from '../../../bridge/status/alerts.ts'
import { discoveryDocument } from '../../../publisher/home-assistant/device-document.ts'
import { STATE_VALUES } from '../../../publisher/home-assistant/state-values.ts'
import type { HaDocument, HaEntityComponent } from '../../../src/home-assistant/document.ts'
import { encodeHaDocument } from '../../../src/home-assistant/encode.ts'
import { createTopics } from '../../../src/topics.ts'
import { LaneWorld } from '../../support/lane-world.ts'
import { statusOf } from '../../support/status.ts'

const topics = createTopics('sensehat', 'homeassistant')
const everything: BridgeDocumentInput = {
  version: '1.2.3',
  url: 'http://nas:8080',
  currency: 'EUR',
  budget: true,
  credentialExpires: true,
}
const piDocument = discoveryDocument(
  {
    identity: { hostname: 'pi-a', macaddress: null, ipaddress: null, serial: null, model: null },
    version: '1',
    board: 'Sense HAT',
    keys: new Set(STATE_VALUES.flatMap(({ needs }) => needs)),
    stateIntervalMs: 10_000,
    bootTimeKnown: true,
    hasMatrix: true,
    hasJoystick: true,
    canRestart: true,
  },
  topics,
)

function entities(document: HaDocument): [key: string, component: HaEntityComponent][] {
  return Object.entries(document.components) as [string, HaEntityComponent][]
}

/** Fields of the state that a component's templates read. */
function fieldsOf(component: HaEntityComponent): string[] {
  const templates = Object.entries(component).filter(([key]) => key.endsWith('_template'))
  return templates.flatMap(([, text]) =>
    [...String(text).matchAll(/value_json\.([a-z_.]+)/g)].map(([, field]) => `${field}`),
  )
}

function has(state: object, field: string): boolean {
  let value: unknown = state
  for (const key of field.split('.')) {
    if (typeof value !== 'object' || value === null || !(key in value)) return false
    value = (value as Record<string, unknown>)[key]
  }
  return true
}

describe("the bridge's document", () => {
  it('has ids, topics and names that never change', () => {
    const { components, ...root } = JSON.parse(encodeHaDocument(bridgeDocument(everything, topics))) as HaDocument
    expect(root).toEqual({
      device: {
        identifiers: ['sensehat_bridge'],
        name: 'Snowhat bridge',
        manufacturer: 'Snowhat',
        model: 'MQTT to Snowflake bridge',
        sw_version: '1.2.3',
        configuration_url: 'http://nas:8080',
      },
      origin: { name: 'snowhat', sw_version: '1.2.3' },
      availability: [{ topic: 'sensehat/bridge/availability' }],
      availability_mode: 'all',
      state_topic: 'sensehat/bridge/health',
      qos: 1,
    })
    expect(topics.bridgeDiscovery).toBe('homeassistant/device/sensehat_bridge/config')
    const ids = Object.entries(components).map(
      ([key, { platform, ...rest }]) => `${key} ${platform} ${(rest as { unique_id: string }).unique_id}`,
    )
    expect(ids).toEqual(
      [
        ...['connection', 'snowflake', 'problem'].map((key) => [key, 'binary_sensor']),
        ...ALERT_CODES.map((key) => [key, 'binary_sensor']),
        ...['devices', 'rows_per_second', 'lag', 'rows_waiting', 'spool_size', 'last_commit'].map((key) => [
          key,
          'sensor',
        ]),
        ...['missing_today', 'rejected_today', 'sent_today', 'cost_today', 'cost_month', 'budget_used'].map((key) => [
          key,
          'sensor',
        ]),
        ['credential_expires_at', 'sensor'],
        ['flush', 'button'],
      ]
        .map(([key, platform]) => `${key} ${platform} sensehat_bridge_${key}`)
        .sort(),
    )
  })

  it('reads nothing but what its health always has', async () => {
    const world = new LaneWorld()
    const health = JSON.parse(JSON.stringify(statusOf(world).health()))
    for (const [key, component] of entities(bridgeDocument(everything, topics)))
      for (const field of fieldsOf(component)) expect([key, field, has(health, field)]).toEqual([key, field, true])
    const closing = world.close()
    await world.clock.advance(60_000)
    await closing
  })

  it('announces nothing that can have no value here', () => {
    const bare = bridgeDocument({ version: '1', credentialExpires: false }, topics)
    const all = bridgeDocument(everything, topics)
    expect(Object.keys(all.components).filter((key) => !(key in bare.components))).toEqual([
      'credential_expires',
      'budget_projected',
      'budget_exceeded',
      'cost_today',
      'cost_month',
      'budget_used',
      'credential_expires_at',
    ])
    expect(bare.device).not.toHaveProperty('configuration_url')
  })

  it('shows its connection also when it is gone', () => {
    const { connection } = bridgeDocument(everything, topics).components
    expect(connection).toMatchObject({
      state_topic: 'sensehat/bridge/availability',
      payload_on: 'online',
      payload_off: 'offline',
      availability: [],
    })
  })

  it('expires nothing: its state is retained', () => {
    for (const [, component] of entities(bridgeDocument(everything, topics)))
      expect(component).not.toHaveProperty('expire_after')
  })

  it('is calm: few values stand outside of the diagnostics', () => {
    const shown = entities(bridgeDocument(everything, topics)).filter(([, c]) => c.entity_category === undefined)
    expect(shown.map(([key]) => key)).toEqual([
      'devices',
      'rows_per_second',
      'missing_today',
      'cost_month',
      'budget_used',
    ])
  })
})

describe("the bridge's part of a Pi's device", () => {
  const ours = pipelineDocument({ hostname: 'pi-a', version: '1', underBridge: true }, topics)

  it("is of the Pi's own device, under the same name, and hangs on the bridge", () => {
    expect(ours.device).toEqual({
      identifiers: piDocument.device.identifiers,
      name: piDocument.device.name,
      via_device: 'sensehat_bridge',
    })
    expect(ours.availability).toEqual([{ topic: 'sensehat/bridge/availability' }])
    expect(ours.state_topic).toBe('sensehat/bridge/devices/pi-a')
    expect(topics.pipelineDiscovery('pi-a')).toBe('homeassistant/device/pi-a/sensehat_pipeline/config')
  })

  it("has no key and no id of the Pi's own document", () => {
    const idsOf = (document: HaDocument) => entities(document).map(([, { unique_id }]) => unique_id)
    expect(Object.keys(ours.components).filter((key) => key in piDocument.components)).toEqual([])
    expect(new Set([...idsOf(ours), ...idsOf(piDocument)]).size).toBe(
      Object.keys(ours.components).length + Object.keys(piDocument.components).length,
    )
    expect(idsOf(ours)).toEqual(['missing', 'rejected', 'lag', 'last_commit'].map((key) => `sensehat_pi-a_${key}`))
  })

  it('reads nothing but what a ledger always has', async () => {
    const world = new LaneWorld()
    const ledger = JSON.parse(JSON.stringify(world.ledgers.current(world.device)))
    for (const [key, component] of entities(ours))
      for (const field of fieldsOf(component)) expect([key, field, has(ledger, field)]).toEqual([key, field, true])
    const closing = world.close()
    await world.clock.advance(60_000)
    await closing
  })

  it('leaves what changes with every ledger switched off', () => {
    const on = entities(ours).filter(([, component]) => component.enabled_by_default !== false)
    expect(on.map(([key]) => key)).toEqual(['missing', 'rejected'])
  })
})
