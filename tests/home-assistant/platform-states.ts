import type { HaLogLevel } from './ha-log.ts'
import { type Fields, isFields } from './judge/finding.ts'
import { SENSOR_CLASSES } from './judge/tables/sensor-classes.ts'

/** What a message on its state topic does to an entity. */
export interface Outcome {
  /** The new state; `null` is unknown; absent: it stays. */
  readonly value?: string | null
  /** New or changed attributes. */
  readonly attributes?: Fields
  readonly log?: readonly [HaLogLevel, string]
}

/** One message, seen by one entity. */
export interface StateMessage {
  readonly entityId: string
  readonly topic: string
  readonly fields: Fields
  /** After the value template. */
  readonly text: string
  readonly retained: boolean
  /** Epoch milliseconds. */
  readonly at: number
}

/** Home Assistant's longest state [spec 1.2]. */
const LONGEST_STATE = 255
/** What Python's `float` takes, without `nan` and `inf`, which a sensor refuses. */
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i
const ISO_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(?<offset>Z|[+-]\d{2}:?\d{2})?$/

/** By platform. Those that have no state of their own are not in it. */
export const PLATFORM_STATES: ReadonlyMap<string, (message: StateMessage) => Outcome> = new Map([
  ['sensor', sensor],
  ['binary_sensor', binarySensor],
  ['number', number],
  ['select', select],
  ['switch', onOff],
  ['text', text],
  ['event', event],
  ['light', light],
  ['update', update],
])

const IGNORED: Outcome = {}

/** Spec 1.14. */
function sensor(message: StateMessage): Outcome {
  const { fields, text: state, topic, entityId } = message
  if (state === '') return { log: ['DEBUG', `Ignore empty state from '${topic}'`] }
  if (state === 'None') return { value: null }
  if (isNumeric(fields)) {
    if (NUMBER.test(state)) return { value: state }
    return { log: raised(entityId, `ValueError: the state '${state}' is not a number`) }
  }
  const { device_class, options } = fields
  if (Array.isArray(options) && !options.includes(state))
    return { log: ['WARNING', `Invalid value for ${entityId}: '${state}' on '${topic}', allowed: ${options}`] }
  if (device_class === 'timestamp' || device_class === 'uptime') return timestamp(message)
  if (device_class === 'date') return date(message)
  return state.length > LONGEST_STATE ? tooLong(message) : { value: state }
}

/** A unit, a state class or a class that is a number makes a sensor one [spec 1.14]. */
function isNumeric({ device_class, state_class, unit_of_measurement }: Fields): boolean {
  if (typeof device_class === 'string' && SENSOR_CLASSES.get(device_class)?.numeric === false) return false
  return [device_class, state_class, unit_of_measurement].some((value) => value !== undefined && value !== null)
}

/** A time without offset is refused only when the state is written, so the old one stays [Home Assistant's source]. */
function timestamp({ text: state, topic, entityId }: StateMessage): Outcome {
  const match = ISO_TIME.exec(state)
  if (!match || Number.isNaN(Date.parse(state)))
    return { value: null, log: ['WARNING', `Invalid state message '${state}' from '${topic}'`] }
  if (match.groups?.offset === undefined)
    return { log: raised(entityId, `ValueError: Invalid datetime: '${state}' is missing timezone information`) }
  return { value: `${new Date(state).toISOString().slice(0, 19)}+00:00` }
}

function date({ text: state, topic }: StateMessage): Outcome {
  if (/^\d{4}-\d{2}-\d{2}/.test(state) && !Number.isNaN(Date.parse(state))) return { value: state.slice(0, 10) }
  return { value: null, log: ['WARNING', `Invalid state message '${state}' from '${topic}'`] }
}

function binarySensor({ fields, text: payload, entityId, topic }: StateMessage): Outcome {
  if (payload === '') return { log: ['DEBUG', `Empty template output for entity: ${entityId}`] }
  if (payload === (fields.payload_on ?? 'ON')) return { value: 'on' }
  if (payload === (fields.payload_off ?? 'OFF')) return { value: 'off' }
  if (payload === 'None') return { value: null }
  const said = `No matching payload found for entity: ${entityId} with state topic: ${topic}. Payload: '${payload}'`
  return { log: ['INFO', said] }
}

function number({ fields, text: payload, entityId }: StateMessage): Outcome {
  const { min = 0, max = 100, payload_reset = 'None' } = fields
  if (payload === '') return IGNORED
  if (payload === payload_reset) return { value: null }
  if (!NUMBER.test(payload)) return { log: ['WARNING', `Payload '${payload}' is not a Number`] }
  const value = Number(payload)
  if (value < Number(min) || value > Number(max))
    return { log: ['ERROR', `Invalid value for ${entityId}: ${payload} (range ${min} - ${max})`] }
  return { value: String(value) }
}

function select({ fields, text: option, entityId }: StateMessage): Outcome {
  if (option === '') return IGNORED
  if (option.toLowerCase() === 'none') return { value: null }
  const options: readonly unknown[] = Array.isArray(fields.options) ? fields.options : []
  if (options.includes(option)) return { value: option }
  return { log: ['ERROR', `Invalid option for ${entityId}: '${option}' (valid options: ${options})`] }
}

function onOff({ fields, text: payload }: StateMessage): Outcome {
  const { payload_on = 'ON', payload_off = 'OFF', state_on = payload_on, state_off = payload_off } = fields
  if (payload === state_on) return { value: 'on' }
  if (payload === state_off) return { value: 'off' }
  return payload === 'None' ? { value: null } : IGNORED
}

function text(message: StateMessage): Outcome {
  const { fields, text: state, entityId } = message
  const { min = 0, max = LONGEST_STATE, pattern } = fields
  if (state === 'None') return { value: null }
  if (state.length > LONGEST_STATE) return tooLong(message)
  const fits = state.length >= Number(min) && state.length <= Number(max)
  if (fits && (typeof pattern !== 'string' || new RegExp(`^(?:${pattern})`).test(state))) return { value: state }
  return { log: raised(entityId, `ValueError: the text '${state}' does not fit`) }
}

/** The state is when it last happened; what happened is an attribute [spec 2.3]. */
function event({ fields, text: payload, retained, at, topic, entityId }: StateMessage): Outcome {
  if (retained) return { log: ['DEBUG', `Ignoring event trigger from replayed retained payload on topic ${topic}`] }
  if (['', 'None', '{}'].includes(payload))
    return { log: ['DEBUG', `Ignoring empty payload '${payload}' after rendering for topic ${topic}`] }
  const values = jsonObject(payload)
  if (!values) return { log: ['WARNING', `No valid JSON event payload detected, '${payload}' on topic ${topic}`] }
  const { event_type: type, ...rest } = values
  if (type === undefined)
    return { log: ['WARNING', `\`event_type\` missing in JSON event payload, '${payload}' on topic ${topic}`] }
  if (!Array.isArray(fields.event_types) || !fields.event_types.includes(String(type)))
    return { log: ['WARNING', `Invalid event type ${type} for ${entityId} received on topic ${topic}`] }
  return { value: new Date(at).toISOString(), attributes: { ...rest, event_type: String(type) } }
}

/** The JSON schema [spec 2.3]. */
function light({ fields, text: payload, entityId }: StateMessage): Outcome {
  const values = jsonObject(payload)
  if (!values || !('state' in values)) return { log: raised(entityId, `no light's state: '${payload}'`) }
  const attributes: Record<string, unknown> = {}
  let log: Outcome['log']
  const { color_mode, brightness, effect } = values
  if (color_mode !== undefined) {
    const modes: readonly unknown[] = Array.isArray(fields.supported_color_modes) ? fields.supported_color_modes : []
    const color = isFields(values.color) ? ['r', 'g', 'b'].map((part) => Number((values.color as Fields)[part])) : []
    if (!modes.includes(color_mode)) log = ['WARNING', `Invalid color mode '${color_mode}' received for ${entityId}`]
    else if (color_mode !== 'rgb') log = ['FAKE', `colours of the mode ${color_mode} are unknown to the fake`]
    else if (color.length !== 3 || !color.every(Number.isFinite))
      log = ['WARNING', `Invalid or incomplete color value '${payload}' received for entity ${entityId}`]
    else Object.assign(attributes, { color_mode, rgb_color: color })
  }
  if (brightness !== undefined && fields.brightness === true) {
    const scale = Number(fields.brightness_scale ?? 255)
    if (typeof brightness !== 'number') log = ['WARNING', `Invalid brightness value '${brightness}' for ${entityId}`]
    else if (brightness === 0) log = ['DEBUG', `Ignoring zero brightness value for entity ${entityId}`]
    else attributes.brightness = Math.min(255, Math.round((brightness / scale) * 255))
  }
  if (effect !== undefined && fields.effect === true) attributes.effect = effect
  const states = new Map<unknown, string | null>([
    ['ON', 'on'],
    ['OFF', 'off'],
    [null, null],
  ])
  const value = states.get(values.state)
  return { ...(value !== undefined && { value }), attributes, ...(log && { log }) }
}

/** A version, or an object that has both: on when another one is the latest. */
function update({ text: payload, fields }: StateMessage): Outcome {
  if (payload === '' || payload === '{}') return IGNORED
  const values: Fields = jsonObject(payload) ?? { installed_version: payload }
  const { installed_version, latest_version } = values
  if (fields.latest_version_topic !== undefined)
    return { log: ['FAKE', 'a latest version on a topic of its own is unknown to the fake'] }
  if (typeof installed_version !== 'string' || typeof latest_version !== 'string')
    return { value: null, attributes: values }
  return { value: installed_version === latest_version ? 'off' : 'on', attributes: values }
}

function tooLong({ entityId, text: state }: StateMessage): Outcome {
  return { value: null, log: ['ERROR', `Cannot update state for entity ${entityId}: ${state.length} characters`] }
}

function raised(entityId: string, what: string): readonly [HaLogLevel, string] {
  return ['ERROR', `Exception raised while updating state of ${entityId}: ${what}`]
}

function jsonObject(payload: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(payload)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
