/** A colour as Home Assistant gives it: each channel 0..255. */
export interface Rgb {
  readonly r: number
  readonly g: number
  readonly b: number
}

export const BLACK: Rgb = { r: 0, g: 0, b: 0 }
export const WHITE: Rgb = { r: 255, g: 255, b: 255 }
export const GREY: Rgb = { r: 128, g: 128, b: 128 }

/** Home Assistant's scale of brightness. */
export const FULL_BRIGHTNESS = 255

/**
 * The panel keeps five bits of a channel, and its driver's gamma table turns the six lowest of these 32 values into "off"
 * (documented: `rpisense-fb.c`). The first value that gives light is the seventh.
 */
const LEAST_VISIBLE = 6 << 3

/**
 * The colour at a brightness of 1..255; 0 is black. The strongest channel goes from the least the panel can show to its
 * full value and the others keep their proportion, so that no lamp that is on looks as if it were off.
 */
export function dimmed(colour: Rgb, brightness: number): Rgb {
  const strongest = Math.max(colour.r, colour.g, colour.b)
  if (strongest === 0 || brightness <= 0) return BLACK
  const room = Math.max(0, strongest - LEAST_VISIBLE)
  const share = Math.min(1, Math.max(0, (brightness - 1) / (FULL_BRIGHTNESS - 1)))
  const factor = (LEAST_VISIBLE + room * share) / strongest
  return { r: Math.round(colour.r * factor), g: Math.round(colour.g * factor), b: Math.round(colour.b * factor) }
}

/** The pure colour at a place on the colour circle: 0 red, 1/3 green, 2/3 blue, 1 red again. */
export function hue(turn: number): Rgb {
  const sixth = (turn - Math.floor(turn)) * 6
  return {
    r: channel(Math.abs(sixth - 3) - 1),
    g: channel(2 - Math.abs(sixth - 2)),
    b: channel(2 - Math.abs(sixth - 4)),
  }
}

function channel(share: number): number {
  return Math.round(255 * Math.min(1, Math.max(0, share)))
}
