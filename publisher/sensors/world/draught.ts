import { lagged } from './wander.ts'
import type { Air } from './weather.ts'

/** The air outside of an opened door: °C. */
export interface Outside {
  readonly temperature: number
  readonly dewPoint: number
}

/** Share of the room's air that an open door replaces in the end, and how fast, either way. */
const MOST = 0.7
const OPENING_S = 60
const CLOSING_S = 300

/** A door that opens: air from outside mixes with that of the room. */
export class Draught {
  outside: Outside | undefined
  #last: Outside = { temperature: 0, dewPoint: 0 }
  #share = 0

  advance(seconds: number, air: Air): Air {
    if (this.outside !== undefined) this.#last = this.outside
    const open = this.outside !== undefined
    this.#share = lagged(this.#share, open ? MOST : 0, seconds, open ? OPENING_S : CLOSING_S)
    const mixed = (room: number, from: number) => room + this.#share * (from - room)
    return {
      temperature: mixed(air.temperature, this.#last.temperature),
      dewPoint: mixed(air.dewPoint, this.#last.dewPoint),
      pressure: air.pressure,
    }
  }
}
