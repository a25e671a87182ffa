import type { Chance } from './chance.ts'
import { Wander } from './wander.ts'

/** Light at the board: how much, lx, and its colour temperature, K. */
export interface Light {
  readonly illuminance: number
  readonly kelvin: number
}

const SUNRISE_HOUR = 6
const SUNSET_HOUR = 20
const BRIGHTEST_LX = { indoor: 600, outdoor: 20_000 } as const
const LAMP = { fromHour: 18, toHour: 23, illuminance: 120, kelvin: 2_700 }
const DAYLIGHT_KELVIN = 6_500

/** Half a sine from sunrise to sunset behind clouds that come and go, and a lamp in the evening indoors. */
export class Daylight {
  readonly #environment: 'indoor' | 'outdoor'
  readonly #clouds: Wander

  constructor(environment: 'indoor' | 'outdoor', chance: Chance) {
    this.#environment = environment
    this.#clouds = new Wander(0.6, 0.2, 900, chance)
  }

  advance(seconds: number, epochMs: number): Light {
    const hour = (epochMs / 3_600_000) % 24
    const sky = Math.max(0.05, Math.min(1, this.#clouds.advance(seconds)))
    const height = Math.sin((Math.PI * (hour - SUNRISE_HOUR)) / (SUNSET_HOUR - SUNRISE_HOUR))
    const day = hour > SUNRISE_HOUR && hour < SUNSET_HOUR ? BRIGHTEST_LX[this.#environment] * height * sky : 0
    const lit = this.#environment === 'indoor' && hour >= LAMP.fromHour && hour < LAMP.toHour
    const lamp = lit ? LAMP.illuminance : 0
    const illuminance = day + lamp
    const kelvin = illuminance > 0 ? (day * DAYLIGHT_KELVIN + lamp * LAMP.kelvin) / illuminance : DAYLIGHT_KELVIN
    return { illuminance, kelvin }
  }
}
