import { BLACK, dimmed, GREY, hue, type Rgb } from './colour.ts'
import { Frame, SIDE } from './frame.ts'
import { onPicture, type Rotation } from './quarter-turn.ts'

/** What effects show of a reading; `null` where nothing was measured. */
export interface EffectValues {
  /** °C */
  readonly temperature: number | null
  /** Degrees, as the reading has them. */
  readonly pitch: number | null
  readonly roll: number | null
}

export interface EffectInput {
  /** Since the effect was begun. */
  readonly elapsedMs: number
  /** The light's colour at full brightness. */
  readonly colour: Rgb
  /** 1..255 */
  readonly brightness: number
  readonly values: EffectValues
  /** Of the picture on the board: what shows gravity has to know it. */
  readonly rotation: Rotation
}

export interface Effect {
  /** Whether the picture changes while the input but for the time stays. */
  readonly animated: boolean
  draw(input: EffectInput): Frame
}

/** In the order Home Assistant lists them; `off` is its word for no effect. */
export const EFFECT_NAMES = ['off', 'rainbow', 'pulse', 'level', 'thermometer'] as const

export type EffectName = (typeof EFFECT_NAMES)[number]

export const EFFECTS: Readonly<Record<EffectName, Effect>> = {
  off: { animated: false, draw: ({ colour, brightness }) => fill(dimmed(colour, brightness)) },
  rainbow: { animated: true, draw: rainbow },
  pulse: { animated: true, draw: pulse },
  level: { animated: false, draw: level },
  thermometer: { animated: false, draw: thermometer },
}

const RAINBOW_TURN_MS = 5_000
const BREATH_MS = 3_000

function fill(colour: Rgb): Frame {
  return Frame.of(() => colour)
}

/** All colours of the circle from one corner to the other, moving. */
function rainbow({ elapsedMs, brightness }: EffectInput): Frame {
  return Frame.of((x, y) => dimmed(hue((x + y) / (2 * SIDE) + elapsedMs / RAINBOW_TURN_MS), brightness))
}

/** The brightness breathes between what was asked for and the least. */
function pulse({ elapsedMs, colour, brightness }: EffectInput): Frame {
  const share = (1 + Math.cos((2 * Math.PI * elapsedMs) / BREATH_MS)) / 2
  return fill(dimmed(colour, 1 + (brightness - 1) * share))
}

/** Tilt that takes the bubble to the rim, and how far from the centre that is, pixels. */
const RIM = { degrees: 15, pixels: 3 }
/** A pixel the bubble covers by less is not lit. */
const LEAST_COVER = 0.1

/** A bubble of 2 × 2 pixels at the side that is up, between four marks when the board lies level. */
function level(input: EffectInput): Frame {
  const { colour, brightness, values, rotation } = input
  if (values.pitch === null || values.roll === null) return nothingMeasured(brightness)
  const bubble = onPicture(bubbleOnBoard(values.pitch, values.roll), rotation)
  const centre = (SIDE - 1) / 2
  const mark = dimmed(GREY, brightness / 4)
  return Frame.of((x, y) => {
    const cover = overlap(x - centre - bubble.x) * overlap(y - centre - bubble.y)
    if (cover >= LEAST_COVER) return dimmed(colour, brightness * cover)
    return isMark(x) && isMark(y) ? mark : BLACK
  })
}

/** Pixels from the centre, on the board: opposite to where gravity points (`sensors/orientation.ts`). */
function bubbleOnBoard(pitch: number, roll: number): { x: number; y: number } {
  const [p, r] = [(pitch * Math.PI) / 180, (roll * Math.PI) / 180]
  const scale = RIM.pixels / Math.sin((RIM.degrees * Math.PI) / 180)
  const within = (offset: number) => Math.max(-RIM.pixels, Math.min(RIM.pixels, offset * scale))
  return { x: within(Math.sin(p)), y: within(-Math.sin(r) * Math.cos(p)) }
}

/** Share of a pixel that the bubble covers in one dimension, from the distance of their centres. */
function overlap(distance: number): number {
  return Math.max(0, Math.min(1, 1.5 - Math.abs(distance)))
}

/** The corners of a square that leaves one pixel around the bubble. */
function isMark(index: number): boolean {
  return index === 2 || index === SIDE - 3
}

/** Each row of the bar is so many °C, the lowest begins at 0. */
const DEGREES_PER_ROW = 5
/** °C of pure blue and of pure red; green is in the middle. The board is some degrees warmer than the room. */
const BLUEST = 10
const REDDEST = 40
/** Rows at whose top the scale has a mark: 10, 20 and 30 °C. */
const SCALE_ROWS = [6, 4, 2]

/** A bar from 0 to 40 °C in the colour of the temperature, its uppermost row as bright as it is full. */
function thermometer({ brightness, values: { temperature } }: EffectInput): Frame {
  if (temperature === null) return nothingMeasured(brightness)
  const colour = temperatureColour(temperature)
  // Below the scale the bulb still tells its colour.
  const rows = Math.max(1, temperature / DEGREES_PER_ROW)
  return Frame.of((x, y) => {
    if (x === 0 && SCALE_ROWS.includes(y)) return dimmed(GREY, brightness / 4)
    if (x < 2 || x > 5) return BLACK
    const share = Math.max(0, Math.min(1, rows - (SIDE - 1 - y)))
    return dimmed(colour, brightness * share)
  })
}

/** Blue over green to red. */
function temperatureColour(celsius: number): Rgb {
  const share = Math.max(0, Math.min(1, (celsius - BLUEST) / (REDDEST - BLUEST)))
  return hue((2 / 3) * (1 - share))
}

/** Two dim dashes, as instruments show them. */
function nothingMeasured(brightness: number): Frame {
  const dim = dimmed(GREY, brightness / 4)
  return Frame.of((x, y) => (y === 3 && [1, 2, 5, 6].includes(x) ? dim : BLACK))
}
