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
  readonly json_attributes_topic?: string
  readonly json_attributes_template?: string
  /** An empty list: never unavailable. */
  readonly availability?: readonly HaAvailability[]
  readonly availability_mode?: 'all' | 'any' | 'latest'
}

/** Entities that only tell. `config` is refused for them. */
interface HaReport extends HaEntity {
  readonly entity_category?: 'diagnostic'
  readonly state_topic?: string
  readonly value_template?: string
  /** Seconds without a message until the entity is unavailable; not for retained states. */
  readonly expire_after?: number
  readonly force_update?: boolean
}

/** Entities that are told something. Home Assistant must not retain it: it would be carried out at each connection. */
interface HaControl extends HaEntity {
  readonly entity_category?: 'diagnostic' | 'config'
  readonly command_topic: string
  readonly command_template?: string
  /** Seconds after which the broker drops a command that was not delivered (MQTT 5); unknown to releases before 2026. */
  readonly message_expiry_interval: number
}

export type HaStateClass = 'measurement' | 'measurement_angle' | 'total' | 'total_increasing'

export interface HaSensor extends HaReport {
  readonly platform: 'sensor'
  readonly device_class?: string
  readonly unit_of_measurement?: string
  readonly state_class?: HaStateClass
  readonly suggested_display_precision?: number
  /** For the state class `total`, and only there: since when it counts, ISO 8601. */
  readonly last_reset_value_template?: string
  /** For the device class `enum`, and only there. */
  readonly options?: readonly string[]
}

export interface HaBinarySensor extends HaReport {
  readonly platform: 'binary_sensor'
  readonly device_class?: string
  readonly payload_on?: string
  readonly payload_off?: string
  readonly off_delay?: number
}

/** Its state is JSON with `event_type`; retained messages do not count [documented in the platform's source]. */
export interface HaEvent extends Omit<HaReport, 'expire_after' | 'force_update'> {
  readonly platform: 'event'
  readonly device_class?: 'button' | 'doorbell' | 'motion'
  readonly event_types: readonly string[]
}

export interface HaButton extends HaControl {
  readonly platform: 'button'
  readonly device_class?: 'identify' | 'restart' | 'update'
  readonly payload_press?: string
}

export interface HaNumber extends HaControl {
  readonly platform: 'number'
  readonly state_topic: string
  readonly value_template?: string
  readonly device_class?: string
  readonly unit_of_measurement?: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly mode: 'auto' | 'box' | 'slider'
}

/** A text that is sent and has no state. */
export interface HaNotify extends HaControl {
  readonly platform: 'notify'
}

/** A light with commands and states in JSON. */
export interface HaLight extends HaControl {
  readonly platform: 'light'
  readonly schema: 'json'
  readonly state_topic: string
  readonly brightness: boolean
  readonly brightness_scale: number
  readonly supported_color_modes: readonly string[]
  readonly effect: boolean
  readonly effect_list: readonly string[]
  readonly flash: boolean
  readonly flash_time_short: number
  readonly flash_time_long: number
  readonly transition: boolean
}

export type HaEntityComponent = HaSensor | HaBinarySensor | HaEvent | HaButton | HaNumber | HaNotify | HaLight
export type HaPlatform = HaEntityComponent['platform']

/** Removes the entity. It stays in the document until no Home Assistant can still know the entity. */
export interface HaTombstone {
  readonly platform: HaPlatform
}

export type HaComponent = HaEntityComponent | HaTombstone
