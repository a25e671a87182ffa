import type { HaComponent, HaDocument, HaSensor } from '../../src/home-assistant/document.ts'
import { haDeviceIdentifier, haDeviceName, haNamed, haUnit } from '../../src/home-assistant/names.ts'
import type { Topics } from '../../src/topics.ts'
import type { Identity } from '../identity.ts'
import { joystickEvents, matrixControls, programControls } from './controls.ts'
import { type MeasuredKey, STATE_VALUES, type StateValue } from './state-values.ts'

export interface DiscoveryInput {
  readonly identity: Identity
  readonly version: string
  /** For people: the board. */
  readonly board: string
  /** What this Pi measures; the rest is not announced. A compensated value takes the name of the raw one. */
  readonly keys: ReadonlySet<MeasuredKey>
  readonly stateIntervalMs: number
  /** True when `info` tells when the Pi started. */
  readonly bootTimeKnown: boolean
  readonly hasMatrix: boolean
  readonly hasJoystick: boolean
  readonly canRestart: boolean
}

/** Three intervals may pass without `state`, and some time on the way. */
const MISSED_STATES = 3
const GRACE_S = 5
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i
const NO_MAC = '00:00:00:00:00:00'

/** The Pi's device document. */
export function discoveryDocument(input: DiscoveryInput, topics: Topics): HaDocument {
  const { identity, version, board } = input
  const node = identity.hostname
  const mac = identity.macaddress
  return {
    device: {
      identifiers: [haDeviceIdentifier(node)],
      ...(mac !== null && MAC.test(mac) && mac !== NO_MAC && { connections: [['mac', mac.toLowerCase()]] as const }),
      name: haDeviceName(node),
      manufacturer: 'Raspberry Pi',
      model: identity.model === null ? board : `${board} on ${identity.model}`,
      ...(identity.serial !== null && { serial_number: identity.serial }),
      sw_version: version,
    },
    origin: { name: 'snowhat', sw_version: version },
    availability: [{ topic: topics.availability(node) }],
    availability_mode: 'all',
    state_topic: topics.state(node),
    qos: 1,
    components: Object.fromEntries([
      ...measured(input),
      ...own(input, topics),
      ...(input.hasMatrix ? matrixControls(node, topics) : []),
      ...(input.hasJoystick ? joystickEvents(node, topics) : []),
      ...programControls(node, topics, input.canRestart),
    ]),
  }
}

/** `expire_after`, seconds: what makes a Pi unavailable that died while the broker lost its Will. */
export function expireAfterSeconds(stateIntervalMs: number): number {
  return Math.ceil((MISSED_STATES * stateIntervalMs) / 1000) + GRACE_S
}

function measured({ identity, keys, stateIntervalMs }: DiscoveryInput): [string, HaComponent][] {
  const announced = STATE_VALUES.filter((value) => value.needs.every((key) => keys.has(key)))
  const compensated = new Set(announced.map(({ compensates }) => compensates))
  return announced.map((value) => {
    const name = compensated.has(value.key) ? `${value.name} (sensor)` : value.name
    return [value.key, sensor({ ...value, name }, identity.hostname, expireAfterSeconds(stateIntervalMs))]
  })
}

function sensor(value: StateValue, node: string, expireAfter: number): HaSensor {
  return {
    ...haNamed('sensor', node, value.key, value.name),
    value_template: `{{ value_json.${value.key} }}`,
    ...(value.deviceClass !== undefined && { device_class: value.deviceClass }),
    ...(value.unit !== undefined && { unit_of_measurement: haUnit(value.unit) }),
    state_class: value.stateClass,
    suggested_display_precision: value.decimals,
    expire_after: expireAfter,
    // A device class brings its own icon.
    ...(value.icon !== undefined && value.deviceClass === undefined && { icon: value.icon }),
    ...(value.diagnostic && { entity_category: 'diagnostic' }),
    ...(value.off && { enabled_by_default: false }),
  }
}

/** The entities that speak of the Pi itself; their topics are retained, so they do not expire. */
function own({ identity, bootTimeKnown }: DiscoveryInput, topics: Topics): [string, HaComponent][] {
  const node = identity.hostname
  const connectivity: HaComponent = {
    ...haNamed('binary_sensor', node, 'connectivity', 'Connection'),
    state_topic: topics.availability(node),
    payload_on: 'online',
    payload_off: 'offline',
    device_class: 'connectivity',
    // It shows the availability, so it must not hang on it.
    availability: [],
    entity_category: 'diagnostic',
  }
  const problem: HaComponent = {
    ...haNamed('binary_sensor', node, 'problem', 'Problem'),
    state_topic: topics.info(node),
    value_template: "{{ 'ON' if value_json.problems else 'OFF' }}",
    device_class: 'problem',
    entity_category: 'diagnostic',
  }
  const boot: HaComponent = {
    ...haNamed('sensor', node, 'last_boot', 'Last boot'),
    state_topic: topics.info(node),
    value_template: '{{ value_json.booted_at }}',
    device_class: 'timestamp',
    entity_category: 'diagnostic',
  }
  return [
    ['connectivity', connectivity],
    ['problem', problem],
    ...(bootTimeKnown ? [['last_boot', boot] as [string, HaComponent]] : []),
  ]
}
