import type { Chance } from './chance.ts'
import { Wander } from './wander.ts'

export interface WeatherOptions {
  readonly environment: 'indoor' | 'outdoor'
  /** Metres above the sea. */
  readonly altitude_m: number
}

/** The air around the board, as it truly is. */
export interface Air {
  /** °C. */
  readonly temperature: number
  /** °C, never above the temperature. */
  readonly dewPoint: number
  /** hPa at the altitude of the station. */
  readonly pressure: number
}

/** °C: mean, half the daily swing, mean dew point. The swing is a house's and a temperate garden's. */
const CLIMATES = {
  indoor: { mean: 21, swing: 1.5, dewPoint: 9 },
  outdoor: { mean: 12, swing: 5, dewPoint: 6 },
} as const

const HOUR_S = 3_600
const DAY_S = 86_400
const SEA_LEVEL_HPA = 1013.25
/** Weather systems: spread, hPa, memory, and the fastest a barometer moves on an ordinary day. */
const SYNOPTIC = { deviation: 7, memorySeconds: 2.5 * DAY_S, fastestPerHour: 1 }
/** Semidiurnal tide of the atmosphere at 55° of latitude, hPa, highest at 10 and 22 h. */
const TIDE = { amplitude: 0.22, highestHour: 10 }
/** Coldest shortly after dawn, warmest in the afternoon; hours of local solar time. */
const COLDEST_HOUR = 5.5
const WARMEST_HOUR = 15
/** Air is kept just short of fog: °C between temperature and dew point. */
const LEAST_SPREAD_C = 0.15

export class Weather {
  readonly #options: WeatherOptions
  readonly #gusts: Wander
  readonly #dewPoint: Wander
  readonly #synoptic: Wander
  #sea: number

  constructor(options: WeatherOptions, chance: Chance) {
    const climate = CLIMATES[options.environment]
    this.#options = options
    this.#gusts = new Wander(0, 0.3, 20 * 60, chance)
    this.#dewPoint = new Wander(climate.dewPoint, 1.5, 8 * HOUR_S, chance)
    this.#synoptic = new Wander(SEA_LEVEL_HPA, SYNOPTIC.deviation, SYNOPTIC.memorySeconds, chance)
    this.#sea = this.#synoptic.value
  }

  /** The air `seconds` later; the hour is that of Greenwich. */
  advance(seconds: number, epochMs: number): Air {
    const hour = (epochMs / 1000 / HOUR_S) % 24
    const climate = CLIMATES[this.#options.environment]
    const temperature = climate.mean + climate.swing * dayCurve(hour) + this.#gusts.advance(seconds)
    const dewPoint = Math.min(this.#dewPoint.advance(seconds), temperature - LEAST_SPREAD_C)
    const step = (SYNOPTIC.fastestPerHour * seconds) / HOUR_S
    const wish = this.#synoptic.advance(seconds) - this.#sea
    this.#sea += Math.max(-step, Math.min(step, wish))
    const tide = TIDE.amplitude * Math.cos((2 * Math.PI * (hour - TIDE.highestHour)) / 12)
    return { temperature, dewPoint, pressure: stationPressure(this.#sea + tide, this.#options.altitude_m) }
  }
}

/** −1 at the coldest hour, 1 at the warmest, two half cosines of unequal length between. */
export function dayCurve(hour: number): number {
  const sinceColdest = (hour - COLDEST_HOUR + 24) % 24
  const warming = WARMEST_HOUR - COLDEST_HOUR
  return sinceColdest <= warming
    ? -Math.cos((Math.PI * sinceColdest) / warming)
    : Math.cos((Math.PI * (sinceColdest - warming)) / (24 - warming))
}

/** Pressure at an altitude, m, from that at sea level: the ICAO standard atmosphere. */
export function stationPressure(seaLevel: number, altitude_m: number): number {
  return seaLevel * (1 - (0.0065 * altitude_m) / 288.15) ** 5.25588
}
