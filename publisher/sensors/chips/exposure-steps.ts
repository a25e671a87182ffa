import { type ColourPart, type Exposure, fullScale } from './colour-decode.ts'

/** From bright to dark: gain is lowered before time, and raised before time. */
const STEPS: readonly Omit<Exposure, 'gain'>[] = [{ cycles: 10 }, { cycles: 64 }]
const GAINS: Readonly<Record<ColourPart, readonly number[]>> = {
  TCS34725: [1, 4, 16, 60],
  TCS3400: [1, 4, 16, 64],
}
/** 16× and 24 ms: a lit room. */
export const FIRST_EXPOSURE: Exposure = { gain: 16, cycles: 10 }
const TOO_BRIGHT = 0.75
const TOO_DARK = 0.05

/** CONTROL of a gain: its place among the four. */
export function gainCode(part: ColourPart, gain: number): number {
  return GAINS[part].indexOf(gain)
}

/** The exposure to go on with after a clear count: the same, or one step brighter or darker. */
export function nextExposure(part: ColourPart, exposure: Exposure, clear: number): Exposure {
  const full = fullScale(exposure)
  if (clear > TOO_BRIGHT * full) return step(part, exposure, -1)
  if (clear < TOO_DARK * full) return step(part, exposure, 1)
  return exposure
}

function step(part: ColourPart, exposure: Exposure, direction: 1 | -1): Exposure {
  const gain = GAINS[part][GAINS[part].indexOf(exposure.gain) + direction]
  if (gain !== undefined) return { ...exposure, gain }
  const cycles = STEPS[STEPS.findIndex((one) => one.cycles === exposure.cycles) + direction]?.cycles
  return cycles === undefined ? exposure : { ...exposure, cycles }
}
