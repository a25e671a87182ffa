import { type Rgb, WHITE } from './colour.ts'
import type { EffectName } from './effects.ts'

/** The light of Home Assistant that is the matrix. While it is off the rest is what it comes back with. */
export interface LightState {
  readonly on: boolean
  /** 1..255 */
  readonly brightness: number
  /** As commanded, whatever the panel makes of it: a slider must stay where it was put. */
  readonly colour: Rgb
  readonly effect: EffectName
}

export const LIGHT_AT_START: LightState = { on: false, brightness: 128, colour: WHITE, effect: 'off' }

/** What is published of the light, retained (Home Assistant's JSON schema: documented). */
export interface PublishedLight {
  readonly state: 'ON' | 'OFF'
  readonly color_mode: 'rgb'
  readonly color: Rgb
  readonly brightness: number
  readonly effect: EffectName
}

export function publishedLight({ on, brightness, colour, effect }: LightState): PublishedLight {
  const { r, g, b } = colour
  return { state: on ? 'ON' : 'OFF', color_mode: 'rgb', color: { r, g, b }, brightness, effect }
}
