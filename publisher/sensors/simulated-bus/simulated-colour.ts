import type { Chance } from '../world/chance.ts'
import type { Light } from '../world/light.ts'
import type { Truth } from '../world/world.ts'
import { RegisterChip } from './device.ts'

const ENABLE = 0x00
const ATIME = 0x01
const CONTROL = 0x0f
const ID = 0x12
const STATUS = 0x13
const DATA = 0x14

const COMMAND = 0x80
const COUNTING = 0x03

/** What tells the two parts apart. */
const PARTS = {
  TCS34725: { address: 0x29, id: 0x44, cycleMs: 2.4, gains: [1, 4, 16, 60] },
  TCS3400: { address: 0x39, id: 0x90, cycleMs: 2.78, gains: [1, 4, 16, 64] },
} as const

export interface SimulatedColourOptions {
  readonly part: keyof typeof PARTS
  /** It steps through a block only when its command says so, as the data sheet of the TCS34725 has it; a TCS3400 never. */
  readonly byTheBook?: boolean
}

/** A TCS34725 or TCS3400 by the data sheets of AMS. */
export class SimulatedColour extends RegisterChip {
  readonly name: keyof typeof PARTS
  readonly #truth: () => Truth
  readonly #chance: Chance
  readonly #byTheBook: boolean

  constructor(truth: () => Truth, chance: Chance, now: () => number, options: SimulatedColourOptions) {
    super(PARTS[options.part].address, now)
    this.name = options.part
    this.#truth = truth
    this.#chance = chance
    this.#byTheBook = options.byTheBook ?? false
    this.powerUp()
  }

  protected defaults(): Iterable<readonly [number, number]> {
    return [
      [ATIME, 0xff],
      [ID, PARTS[this.name].id],
    ]
  }

  /** Without the command bit nothing is addressed; 0x7f holds zero. */
  protected registerOf(command: number): number {
    if ((command & COMMAND) === 0) return 0x7f
    return this.name === 'TCS34725' ? command & 0x1f : command & 0x7f
  }

  protected steps(command: number): boolean {
    return !this.#byTheBook || (this.name === 'TCS34725' && (command & 0x60) === 0x20)
  }

  protected period(): number | undefined {
    if ((this.register(ENABLE) & COUNTING) !== COUNTING) return undefined
    return (256 - this.register(ATIME)) * PARTS[this.name].cycleMs
  }

  protected measure(): void {
    const { light } = this.#truth()
    const cycles = 256 - this.register(ATIME)
    const exposure = cycles * PARTS[this.name].cycleMs * (PARTS[this.name].gains[this.register(CONTROL) & 0x03] ?? 1)
    const share = sharesOf(light)
    const clear = light.illuminance * exposure * this.#clearPerLux(share)
    const full = Math.min(1024 * cycles, 65_535)
    for (const [i, one] of [1, share.red, share.green, share.blue].entries())
      this.#putCount(DATA + 2 * i, Math.min(full, this.#counted(clear * one)))
    this.bytes[STATUS] = 0x01
  }

  protected override written(register: number, value: number): void {
    super.written(register, value)
    if (register !== ENABLE) return
    this.restartTicks()
    if ((value & COUNTING) !== COUNTING) this.bytes[STATUS] = 0
  }

  /** Clear counts per lux, ms and gain: design note DN40, and of the TCS3400 its sensitivity to warm white. */
  #clearPerLux({ red, green, blue }: Shares): number {
    return this.name === 'TCS3400' ? 1 / 100 : 1 / (310 * (0.136 * red + green - 0.444 * blue))
  }

  /** Photons are counted, so noise grows with the root of the count. */
  #counted(truth: number): number {
    return Math.max(0, Math.round(truth + this.#chance.normal(Math.sqrt(truth) + 1)))
  }

  #putCount(at: number, count: number): void {
    this.bytes[at] = count & 0xff
    this.bytes[at + 1] = count >> 8
  }
}

interface Shares {
  readonly red: number
  readonly green: number
  readonly blue: number
}

/** Of clear light: warm light has more red and less blue, in the proportion DN40 takes for its colour temperature. */
function sharesOf({ kelvin }: Light): Shares {
  const green = 0.36
  const red = (1 - green) / (1 + (kelvin - 1391) / 3810)
  return { red, green, blue: 1 - green - red }
}
