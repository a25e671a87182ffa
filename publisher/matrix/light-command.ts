import { SnowhatError } from '../../src/errors.ts'
import { EFFECT_NAMES, type EffectName } from './effects.ts'
import type { LightState } from './light-state.ts'

/** Seconds: a longer flash is a mistake. */
const LONGEST_FLASH_S = 60

/** Home Assistant's JSON light command (documented); what is absent stays as it was. */
export interface LightCommand {
  readonly state?: 'ON' | 'OFF'
  /** 1 to 255. */
  readonly brightness?: number
  readonly color?: { readonly r: number; readonly g: number; readonly b: number }
  readonly effect?: EffectName
  /** Seconds. */
  readonly flash?: number
}

/** The light blinks like this for a while, and then is as its state says. */
export interface Flash {
  readonly look: LightState
  readonly ms: number
}

export interface LightChange {
  readonly state: LightState
  /** Takes the place of one under way; `undefined` ends it. */
  readonly flash: Flash | undefined
}

/**
 * Reads a payload: a JSON object, or the bare word ON or OFF. Keys of no meaning here pass: `transition` is announced as not
 * supported, and Home Assistant may come to send others. Throws `E_COMMAND_INVALID` with a sentence.
 */
export function parseLightCommand(payload: string): LightCommand {
  const text = payload.trim()
  if (text === 'ON' || text === 'OFF') return { state: text }
  const value = parseJson(text)
  if (!isObject(value)) throw refused('it must be a JSON object')
  return {
    ...(value.state !== undefined && { state: stateIn(value.state) }),
    ...(value.brightness !== undefined && { brightness: whole('brightness', value.brightness, 1, 255) }),
    ...(value.color !== undefined && { color: colourIn(value.color) }),
    ...(value.effect !== undefined && { effect: effectIn(value.effect) }),
    ...(value.flash !== undefined && { flash: flashIn(value.flash) }),
  }
}

/**
 * What a command makes of the light. A flash only interrupts: what comes with it is how the light blinks, and afterwards
 * it is as before, or off when that was commanded.
 */
export function changed(before: LightState, command: LightCommand): LightChange {
  const after: LightState = {
    on: command.state === undefined ? before.on : command.state === 'ON',
    brightness: command.brightness ?? before.brightness,
    colour: command.color ?? before.colour,
    effect: command.effect ?? before.effect,
  }
  if (command.flash === undefined) return { state: after, flash: undefined }
  const flash = { look: { ...after, on: true }, ms: command.flash * 1000 }
  return { state: { ...before, on: before.on && after.on }, flash }
}

function stateIn(value: unknown): 'ON' | 'OFF' {
  if (value === 'ON' || value === 'OFF') return value
  throw refused('state must be "ON" or "OFF"')
}

function colourIn(value: unknown): { r: number; g: number; b: number } {
  if (!isObject(value)) throw refused('color must be an object of r, g and b')
  const channel = (name: 'r' | 'g' | 'b') => whole(`color.${name}`, value[name], 0, 255)
  return { r: channel('r'), g: channel('g'), b: channel('b') }
}

function effectIn(value: unknown): EffectName {
  const effect = EFFECT_NAMES.find((name) => name === value)
  if (effect === undefined) throw refused(`effect must be one of ${EFFECT_NAMES.join(', ')}`)
  return effect
}

function flashIn(value: unknown): number {
  if (typeof value !== 'number') throw refused(`flash must be seconds, at most ${LONGEST_FLASH_S}`)
  if (!(value > 0)) throw refused('flash must be longer than 0 seconds')
  if (value > LONGEST_FLASH_S) throw refused(`flash must be at most ${LONGEST_FLASH_S} seconds`)
  return value
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw refused(`${name} must be a whole number from ${least} to ${most}`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refused('it must be a JSON object', cause)
  }
}

function refused(fault: string, cause?: unknown): SnowhatError {
  return new SnowhatError('E_COMMAND_INVALID', `the light does not understand the command: ${fault}`, {
    hint: 'send for example {"state":"ON","brightness":128,"color":{"r":255,"g":0,"b":0}}',
    cause,
  })
}
