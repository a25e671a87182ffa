import { type DiscoveryInput, discoveryDocument } from '../../publisher/home-assistant/device-document.ts'
import { HOST_KEYS } from '../../publisher/host-metrics.ts'
import { BOARD_KEYS } from '../../publisher/sensors/sensors.ts'
import type { HaComponent, HaEntityComponent } from '../../src/home-assistant/document.ts'
import { haEntityId } from '../../src/home-assistant/names.ts'
import { createTopics } from '../../src/topics.ts'
import { identity } from '../publisher/support.ts'

/** The host name in the dashboard and in the documentation. */
export const EXAMPLE_HOST = 'pi-kitchen'

const everything: DiscoveryInput = {
  identity: { ...identity, hostname: EXAMPLE_HOST },
  version: '1.0.0',
  board: 'Sense HAT V2',
  keys: new Set([...BOARD_KEYS.v2, ...HOST_KEYS]),
  stateIntervalMs: 10_000,
  bootTimeKnown: true,
  hasMatrix: true,
  hasJoystick: true,
  canRestart: true,
}

/** What a Pi with all there is announces, by key, in its order. */
export const PI: readonly (readonly [key: string, component: HaEntityComponent])[] = Object.entries(
  discoveryDocument(everything, createTopics('sensehat', 'homeassistant')).components,
).filter((entry): entry is [string, HaEntityComponent] => isEntity(entry[1]))

function isEntity(component: HaComponent): component is HaEntityComponent {
  return 'unique_id' in component
}

/** What the bridge adds to a Pi's device: the keys of its pipeline document. */
const PIPELINE = ['missing', 'rejected', 'lag', 'last_commit']

/** The bridge's own device: the keys of its document, each with its platform. */
const BRIDGE = {
  binary_sensor: [
    'connection',
    'snowflake',
    'problem',
    'held',
    'blocked',
    'behind',
    'missing',
    'rejected',
    'spool_full',
    'ledger_refused',
    'dead_letters_not_kept',
    'rival',
    'credential_expires',
  ],
  sensor: [
    'devices',
    'rows_per_second',
    'lag',
    'rows_waiting',
    'spool_size',
    'last_commit',
    'missing_today',
    'rejected_today',
    'sent_today',
    'cost_today',
    'cost_month',
    'credential_expires_at',
  ],
  button: ['flush'],
} as const

/** Every entity id there can be for the example's host and the bridge, as Home Assistant first gives them. */
export const ENTITY_IDS: ReadonlySet<string> = new Set([
  ...PI.map(([, { default_entity_id }]) => default_entity_id ?? ''),
  ...PIPELINE.map((key) => haEntityId('sensor', EXAMPLE_HOST, key)),
  ...Object.entries(BRIDGE).flatMap(([platform, keys]) => keys.map((key) => `${platform}.snowhat_bridge_${key}`)),
])

/** Those that are there only when somebody has switched them on. */
export const OFF_AT_FIRST: ReadonlySet<string> = new Set(
  PI.filter(([, { enabled_by_default }]) => enabled_by_default === false).map(
    ([, { default_entity_id }]) => default_entity_id ?? '',
  ),
)
