import { bridgeDocument } from '../../bridge/home-assistant/bridge-document.ts'
import { pipelineDocument } from '../../bridge/home-assistant/pipeline-document.ts'
import { type DiscoveryInput, discoveryDocument } from '../../publisher/home-assistant/device-document.ts'
import { HOST_KEYS } from '../../publisher/host-metrics.ts'
import { BOARD_KEYS } from '../../publisher/sensors/sensors.ts'
import type { HaDocument, HaEntityComponent } from '../../src/home-assistant/document.ts'
import { createTopics } from '../../src/topics.ts'
import { identity } from '../publisher/support.ts'

const topics = createTopics('sensehat', 'homeassistant')

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

type Entity = readonly [key: string, component: HaEntityComponent]

function entitiesOf({ components }: HaDocument): readonly Entity[] {
  return Object.entries(components).filter((entry): entry is [string, HaEntityComponent] => 'unique_id' in entry[1])
}

/** What a Pi with all there is announces, in its order. */
export const PI = entitiesOf(discoveryDocument(everything, topics))

/** What the bridge adds to a Pi's device. */
export const PIPELINE = entitiesOf(
  pipelineDocument({ hostname: EXAMPLE_HOST, version: '1.0.0', underBridge: true }, topics),
)

/** The bridge's own device, with all there can be. */
export const BRIDGE = entitiesOf(bridgeDocument({ version: '1.0.0', currency: 'EUR', credentialExpires: true }, topics))

const all = [...PI, ...PIPELINE, ...BRIDGE].map(([, component]) => component)
const idOf = ({ default_entity_id }: HaEntityComponent) => default_entity_id ?? ''

/** Every entity id there can be for the example's host and the bridge, as Home Assistant first gives them. */
export const ENTITY_IDS: ReadonlySet<string> = new Set(all.map(idOf))

/** Those that are there only when somebody has switched them on. */
export const OFF_AT_FIRST: ReadonlySet<string> = new Set(
  all.filter(({ enabled_by_default }) => enabled_by_default === false).map(idOf),
)
