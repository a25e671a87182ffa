import type { Fields } from './judge/finding.ts'
import type { Publication } from './mqtt-session.ts'
import { render } from './templates/render.ts'
import { parseTemplate } from './templates/syntax.ts'

/** What a user asks of a light. Absent: as it was. */
export interface LightCommand {
  /** 1 to 255. */
  readonly brightness?: number
  /** Red, green and blue, 0 to 255. */
  readonly color?: readonly [number, number, number]
  readonly effect?: string
  readonly flash?: 'short' | 'long'
  /** Seconds. */
  readonly transition?: number
}

/** The message by which Home Assistant gives a command: the payload through the entity's template, if it has one. */
export function commandOf(fields: Fields, value: string | number): Publication {
  const { command_topic, command_template, qos = 0, retain = false, message_expiry_interval: expiry } = fields
  if (typeof command_topic !== 'string') throw new Error('the entity takes no commands')
  const payload =
    command_template === undefined ? String(value) : render(parseTemplate(String(command_template)), value).text
  return {
    topic: command_topic,
    payload,
    qos: qos as 0 | 1 | 2,
    retain: retain === true,
    ...(typeof expiry === 'number' && { expiry }),
  }
}

/** The JSON schema's `{"state":"ON"}` with what was asked for [spec 2.3]. */
export function lightOnOf(fields: Fields, command: LightCommand): Publication {
  const { brightness, color, effect, flash, transition } = command
  const hasBrightness = fields.brightness === true
  const payload: Record<string, unknown> = { state: 'ON' }
  if (color) {
    // A light without a brightness of its own gets it folded into the colour.
    const scale = hasBrightness ? 1 : (brightness ?? 255) / 255
    const [r, g, b] = color.map((part) => Math.round(part * scale))
    payload.color = { r, g, b }
  }
  if (flash !== undefined)
    payload.flash = flash === 'long' ? (fields.flash_time_long ?? 10) : (fields.flash_time_short ?? 2)
  if (transition !== undefined && fields.transition !== false) payload.transition = transition
  if (brightness !== undefined && hasBrightness)
    payload.brightness = Math.max(1, Math.round((brightness / 255) * Number(fields.brightness_scale ?? 255)))
  if (effect !== undefined) {
    const effects: readonly unknown[] = Array.isArray(fields.effect_list) ? fields.effect_list : []
    if (fields.effect !== true || !effects.includes(effect)) throw new Error(`the light has no effect ${effect}`)
    payload.effect = effect
  }
  return commandOf(fields, JSON.stringify(payload))
}

export function lightOffOf(fields: Fields): Publication {
  return commandOf(fields, JSON.stringify({ state: 'OFF' }))
}

/** The attributes Home Assistant assumes of a light that tells no state. */
export function assumedOf({ brightness, color, effect }: LightCommand): Fields {
  return {
    ...(brightness !== undefined && { brightness }),
    ...(color && { color_mode: 'rgb', rgb_color: color }),
    ...(effect !== undefined && { effect }),
  }
}

/** A number within the entity's range, or an error as the user would see it. */
export function numberWithin(fields: Fields, value: number): number {
  const { min = 0, max = 100 } = fields
  if (value < Number(min) || value > Number(max)) throw new Error(`${value} is outside of ${min} to ${max}`)
  return value
}

/** One of the entity's options, or an error as the user would see it. */
export function optionOf(fields: Fields, option: string): string {
  if (!Array.isArray(fields.options) || !fields.options.includes(option)) throw new Error(`${option} is no option`)
  return option
}
