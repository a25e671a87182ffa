import type { Chance } from './chance.ts'
import type { Light } from './light.ts'
import type { Inertia } from './motion.ts'
import { DEGREE, type Vector } from './rotation.ts'

/** Noise is the chip's root mean square; `offset` the spread of an error that each chip keeps for life. */
interface Channel {
  readonly noise: number
  readonly offset: number
  /** One count of the chip's register. */
  readonly lsb: number
  readonly lowest: number
  readonly highest: number
}

/** From the data sheets of ST; accelerometer and gyroscope noise are estimates, the sheet gives none. */
const HTS221 = {
  temperature: { noise: 0.03, offset: 0.2, lsb: 1 / 64, lowest: -40, highest: 120 },
  humidity: { noise: 0.15, offset: 1.5, lsb: 1 / 256, lowest: 0, highest: 100 },
} as const
const LPS25H = {
  pressure: { noise: 0.03, offset: 0.3, lsb: 1 / 4096, lowest: 260, highest: 1260 },
  temperature: { noise: 0.05, offset: 0.8, lsb: 1 / 480, lowest: -25, highest: 110 },
} as const
/** ±8 g, ±500 °/s, ±4 gauss. */
const LSM9DS1 = {
  accel: { noise: 0.0018, offset: 0.03, lsb: 0.000244, lowest: -8, highest: 8 },
  gyro: {
    noise: 0.07 * DEGREE,
    offset: 2 * DEGREE,
    lsb: 0.0175 * DEGREE,
    lowest: -573 * DEGREE,
    highest: 573 * DEGREE,
  },
  mag: { noise: 0.3, offset: 0, lsb: 0.014, lowest: -458, highest: 458 },
} as const
/** Hard iron of a board that was never calibrated, µT per axis. */
const HARD_IRON_UT = 25
/** Counts of the clear channel per lux [our estimate of a TCS3400 at low gain], full scale of 16 bits. */
const COUNTS_PER_LUX = 6
const FULL_SCALE = 65_535

/** One channel of one chip: its own lasting error, noise at each reading, and the steps of its register. */
class Probe {
  readonly #channel: Channel
  readonly #chance: Chance
  readonly #error: number

  constructor(channel: Channel, chance: Chance) {
    this.#channel = channel
    this.#chance = chance
    this.#error = chance.normal(channel.offset)
  }

  read(truth: number): number {
    const { noise, lsb, lowest, highest } = this.#channel
    const value = truth + this.#error + this.#chance.normal(noise)
    return Math.round(Math.max(lowest, Math.min(highest, value)) / lsb) * lsb
  }
}

class TripleProbe {
  readonly #probes: readonly [Probe, Probe, Probe]

  constructor(channel: Channel, chance: Chance) {
    this.#probes = [new Probe(channel, chance), new Probe(channel, chance), new Probe(channel, chance)]
  }

  read(truth: Vector): Vector {
    const [x, y, z] = this.#probes
    return { x: x.read(truth.x), y: y.read(truth.y), z: z.read(truth.z) }
  }
}

/** The chips of a Sense HAT with their imperfections. */
export class Chips {
  readonly #chance: Chance
  readonly temperature: Probe
  readonly humidity: Probe
  readonly pressure: Probe
  readonly temperaturePressure: Probe
  readonly #accel: TripleProbe
  readonly #gyro: TripleProbe
  readonly #mag: TripleProbe

  constructor(chance: Chance, options: { readonly hardIron: boolean }) {
    this.#chance = chance
    this.temperature = new Probe(HTS221.temperature, chance)
    this.humidity = new Probe(HTS221.humidity, chance)
    this.pressure = new Probe(LPS25H.pressure, chance)
    this.temperaturePressure = new Probe(LPS25H.temperature, chance)
    this.#accel = new TripleProbe(LSM9DS1.accel, chance)
    this.#gyro = new TripleProbe(LSM9DS1.gyro, chance)
    this.#mag = new TripleProbe({ ...LSM9DS1.mag, offset: options.hardIron ? HARD_IRON_UT : 0 }, chance)
  }

  inertia(truth: Inertia): Inertia {
    return {
      accel: this.#accel.read(truth.accel),
      gyro: this.#gyro.read(truth.gyro),
      field: this.#mag.read(truth.field),
    }
  }

  /** Warm light has more red and less blue; photons are counted, so noise grows with the root of the count. */
  colour(light: Light): { red: number; green: number; blue: number; clear: number; illuminance: number } {
    const warmth = Math.max(0, Math.min(1, (6_500 - light.kelvin) / 3_800))
    const clear = this.#counts(light.illuminance * COUNTS_PER_LUX)
    return {
      clear,
      red: this.#counts(clear * (0.32 + 0.2 * warmth)),
      green: this.#counts(clear * (0.36 - 0.04 * warmth)),
      blue: this.#counts(clear * (0.3 - 0.16 * warmth)),
      illuminance: clear / COUNTS_PER_LUX,
    }
  }

  #counts(truth: number): number {
    const counted = truth + this.#chance.normal(Math.sqrt(Math.max(0, truth)) + 1)
    return Math.max(0, Math.min(FULL_SCALE, Math.round(counted)))
  }
}
