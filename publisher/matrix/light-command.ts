import { z } from 'zod'
import { SnowhatError } from '../../src/errors.ts'
import { EFFECT_NAMES } from './effects.ts'
import type { LightState } from './light-state.ts'

/** Seconds: a longer flash is a mistake. */
const LONGEST_FLASH_S = 60

const channel = whole(0, 255)

/** Keys of no meaning here pass: `transition` is announced as not supported, and Home Assistant may come to send others. */
const commandSchema = z.object(
  {
    state: z.enum(['ON', 'OFF'], 'must be "ON" or "OFF"').optional(),
    brightness: whole(1, 255).optional(),
    color: z.object({ r: channel, g: channel, b: channel }, 'must be an object of r, g and b').optional(),
    effect: z.enum(EFFECT_NAMES, `must be one of ${EFFECT_NAMES.join(', ')}`).optional(),
    flash: z
      .number(`must be seconds, at most ${LONGEST_FLASH_S}`)
      .positive('must be longer than 0 seconds')
      .max(LONGEST_FLASH_S, `must be at most ${LONGEST_FLASH_S} seconds`)
      .optional(),
  },
  'must be a JSON object',
)

/** Home Assistant's JSON light command (documented); what is absent stays as it was. */
export type LightCommand = z.infer<typeof commandSchema>

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

/** Reads a payload: a JSON object, or the bare word ON or OFF. Throws `E_COMMAND_INVALID` with a sentence. */
export function parseLightCommand(payload: string): LightCommand {
  const text = payload.trim()
  const parsed = commandSchema.safeParse(text === 'ON' || text === 'OFF' ? { state: text } : parseJson(text))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const subject = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.join('.')
  throw refused(`${subject} ${issue?.message ?? 'must be a light command'}`)
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

function whole(least: number, most: number): z.ZodType<number> {
  const message = `must be a whole number from ${least} to ${most}`
  return z.int(message).min(least, message).max(most, message)
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
