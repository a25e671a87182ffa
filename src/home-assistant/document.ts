/**
 * Home Assistant's device documents for MQTT discovery: one retained JSON object that announces a device
 * and all its entities. Home Assistant refuses a whole document for one unknown key at its root and drops
 * unknown keys of a component without a word, so both are types here.
 */
export interface HaDocument {
  readonly device: HaDevice
  readonly origin: HaOrigin
  readonly availability?: readonly HaAvailability[]
  readonly availability_mode?: 'all' | 'any' | 'latest'
  /** Inherited by every component that names none. */
  readonly state_topic?: string
  readonly qos?: 0 | 1 | 2
  /** The keys are a public contract: a changed key is another entity. */
  readonly components: Readonly<Record<string, HaComponent>>
}

export interface HaDevice {
  readonly identifiers: readonly string[]
  readonly connections?: readonly (readonly [type: string, value: string])[]
  readonly name: string
  readonly manufacturer?: string
  readonly model?: string
  readonly model_id?: string
  readonly hw_version?: string
  readonly sw_version?: string
  readonly serial_number?: string
  readonly suggested_area?: string
  /** http, https or homeassistant. */
  readonly configuration_url?: string
  /** An identifier of a device that is announced too. */
  readonly via_device?: string
}

/** Shown in Home Assistant's log, which is how people find who published a document. */
export interface HaOrigin {
  readonly name: string
  readonly sw_version?: string
  readonly support_url?: string
}

export interface HaAvailability {
  readonly topic: string
  /** `online` when left out. */
  readonly payload_available?: string
  /** `offline` when left out. */
  readonly payload_not_available?: string
  readonly value_template?: string
}

interface HaEntity {
  readonly unique_id: string
  readonly name?: string | null
  /** With the domain: `sensor.pi_kitchen_temperature`. Counts at the first registration only. */
  readonly default_entity_id?: string
  readonly icon?: string
  readonly enabled_by_default?: boolean
  readonly state_topic?: string
  readonly value_template?: string
  readonly json_attributes_topic?: string
  readonly json_attributes_template?: string
  /** An empty list: never unavailable. */
  readonly availability?: readonly HaAvailability[]
  readonly availability_mode?: 'all' | 'any' | 'latest'
  /** Seconds without a message until the entity is unavailable; not for retained states. */
  readonly expire_after?: number
  readonly force_update?: boolean
  /** `config` is refused for these platforms. */
  readonly entity_category?: 'diagnostic'
}

export type HaStateClass = 'measurement' | 'measurement_angle' | 'total' | 'total_increasing'

export interface HaSensor extends HaEntity {
  readonly platform: 'sensor'
  readonly device_class?: string
  readonly unit_of_measurement?: string
  readonly state_class?: HaStateClass
  readonly suggested_display_precision?: number
  /** For the device class `enum`, and only there. */
  readonly options?: readonly string[]
}

export interface HaBinarySensor extends HaEntity {
  readonly platform: 'binary_sensor'
  readonly device_class?: string
  readonly payload_on?: string
  readonly payload_off?: string
  readonly off_delay?: number
}

/** Removes the entity. It stays in the document until no Home Assistant can still know the entity. */
export interface HaTombstone {
  readonly platform: 'sensor' | 'binary_sensor'
}

export type HaComponent = HaSensor | HaBinarySensor | HaTombstone

/** The node of a document; the same id from a Pi and from the bridge makes both describe one device. */
export function haDeviceIdentifier(node: string): string {
  return `sensehat_${node}`
}

/** Never to be changed: users' history, dashboards and automations hang on it. */
export function haUniqueId(node: string, key: string): string {
  return `${haDeviceIdentifier(node)}_${key}`
}

/** `<platform>.<node>_<key>` in the characters Home Assistant allows. */
export function haEntityId(platform: HaComponent['platform'], node: string, key: string): string {
  return `${platform}.${`${node}_${key}`.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`
}

/** Home Assistant's name of a unit: its micro is the Greek letter mu (U+03BC), not the micro sign (U+00B5). */
export function haUnit(unit: string): string {
  return unit.replaceAll('\u00b5', '\u03bc')
}

const ROOT_ORDER = ['device', 'origin', 'availability', 'availability_mode', 'state_topic', 'qos', 'components']

/** The payload: keys in one order whatever the way the document was made, so that equal documents are equal texts. */
export function encodeHaDocument(document: HaDocument): string {
  return JSON.stringify(ordered(document, ROOT_ORDER))
}

const COMPONENT_ORDER = ['platform', 'unique_id', 'name']

function ordered(value: unknown, first: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => ordered(item, []))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const rank = (key: string) => (first.includes(key) ? first.indexOf(key) : first.length)
  entries.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, ordered(item, COMPONENT_ORDER)]))
}
