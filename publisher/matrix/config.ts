import { SnowhatError } from '../../src/errors.ts'
import type { Section, ValuesOf } from '../../src/setting.ts'
import { type Night, parseTimeOfDay } from './night.ts'
import type { Rotation } from './quarter-turn.ts'

export const matrixSection = {
  rotation: {
    kind: 'string',
    default: '0',
    choices: ['0', '90', '180', '270'],
    doc: 'degrees the picture is turned clockwise; at 0 the HDMI edge is at the bottom. The joystick turns with it',
  },
  status: {
    kind: 'boolean',
    default: false,
    doc: 'while the light is off, show in the corner whether readings arrive (1 green pixel), wait (2 amber) or fail (4 red)',
  },
  scroll_rate: { kind: 'number', default: 10, doc: 'columns a second at which messages scroll by' },
  night_from: {
    kind: 'string',
    default: '',
    doc: 'local time at which the night begins, such as 22:30; empty for none',
  },
  night_to: { kind: 'string', default: '', doc: 'local time at which the night ends' },
  night_brightness: {
    kind: 'count',
    default: 10,
    doc: 'at night the light and messages are not brighter, 1 to 255, and the status is dark',
  },
} as const satisfies Section

export type MatrixSettings = ValuesOf<typeof matrixSection>

/** How the screen behaves: the settings, checked. */
export interface ScreenSettings {
  readonly rotation: Rotation
  readonly status: boolean
  /** Columns a second. */
  readonly scrollRate: number
  readonly night: Night | undefined
}

/** Columns a second that can be read, and that the matrix can show. */
const SCROLL_RATE = { least: 1, most: 20 }

/** Throws `E_CONFIG_INVALID` for what cannot be honoured. */
export function screenSettings(settings: MatrixSettings): ScreenSettings {
  const { scroll_rate } = settings
  if (scroll_rate < SCROLL_RATE.least || scroll_rate > SCROLL_RATE.most)
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `scroll_rate is ${scroll_rate}; it must be from ${SCROLL_RATE.least} to ${SCROLL_RATE.most} columns a second`,
    )
  return {
    rotation: Number(settings.rotation) as Rotation,
    status: settings.status,
    scrollRate: scroll_rate,
    night: nightOf(settings),
  }
}

function nightOf({ night_from, night_to, night_brightness: brightness }: MatrixSettings): Night | undefined {
  if (night_from === '' && night_to === '') return undefined
  if (brightness < 1 || brightness > 255)
    throw new SnowhatError('E_CONFIG_INVALID', `night_brightness is ${brightness}; it must be from 1 to 255`)
  const from = parseTimeOfDay('night_from', night_from)
  const to = parseTimeOfDay('night_to', night_to)
  if (from === to)
    throw new SnowhatError('E_CONFIG_INVALID', 'night_from and night_to are the same time', {
      hint: 'leave both empty for no night',
    })
  return { from, to, brightness }
}
