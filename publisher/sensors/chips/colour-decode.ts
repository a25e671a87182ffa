/** The two light sensors of the second board; they share their registers. */
export type ColourPart = 'TCS34725' | 'TCS3400'

/** How long and how strongly light is counted. */
export interface Exposure {
  readonly gain: number
  /** Integration cycles, 1 to 256. */
  readonly cycles: number
}

/** Counts of one integration. */
export interface ColourCounts {
  readonly clear: number
  readonly red: number
  readonly green: number
  readonly blue: number
}

/** Milliseconds of one integration cycle. */
const CYCLE_MS: Readonly<Record<ColourPart, number>> = { TCS34725: 2.4, TCS3400: 2.78 }
/** Counts are published as they would be at this exposure of a TCS34725: 4 counts per lux, about. */
const REFERENCE = 16 * 24

export function integrationMs(part: ColourPart, exposure: Exposure): number {
  return exposure.cycles * CYCLE_MS[part]
}

/** The count no channel exceeds: 1024 per cycle, in 16 bits. */
export function fullScale(exposure: Exposure): number {
  return Math.min(1024 * exposure.cycles, 65_535)
}

/**
 * Above it the clear channel is taken for saturated. Lamps flicker: what integrates for less than 150 ms may have been
 * saturated for a part of the time (AMS design note DN40).
 */
export function saturation(part: ColourPart, exposure: Exposure): number {
  const full = fullScale(exposure)
  return integrationMs(part, exposure) < 150 ? 0.75 * full : full
}

/** Counts as at gain 16 and 24 ms, so that they mean the same at every exposure. */
export function normalised(counts: ColourCounts, part: ColourPart, exposure: Exposure): ColourCounts {
  const factor = REFERENCE / (exposure.gain * integrationMs(part, exposure))
  return {
    clear: counts.clear * factor,
    red: counts.red * factor,
    green: counts.green * factor,
    blue: counts.blue * factor,
  }
}

/**
 * Illuminance, lx, with nothing in front of the sensor. TCS34725: AMS design note DN40. TCS3400: no such coefficients
 * are published; from the sensitivity of its clear channel, right to the order of magnitude [assumed].
 */
export function illuminance(counts: ColourCounts, part: ColourPart, gain: number, ms: number): number {
  if (part === 'TCS3400') return (100 * counts.clear) / (gain * ms)
  const infrared = infraredOf(counts)
  const countsPerLux = (ms * gain) / 310
  const weighed = 0.136 * (counts.red - infrared) + 1.0 * (counts.green - infrared) - 0.444 * (counts.blue - infrared)
  return Math.max(0, weighed / countsPerLux)
}

/** Correlated colour temperature, K, of a TCS34725 (DN40); `null` without red light. */
export function colourTemperature(counts: ColourCounts): number | null {
  const infrared = infraredOf(counts)
  const red = counts.red - infrared
  return red <= 0 ? null : (3810 * (counts.blue - infrared)) / red + 1391
}

function infraredOf({ clear, red, green, blue }: ColourCounts): number {
  return Math.max(0, (red + green + blue - clear) / 2)
}
