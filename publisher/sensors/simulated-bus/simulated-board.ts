import type { I2cBus } from '../bus/bus.ts'
import { type Chance, createChance, seedFrom } from '../world/chance.ts'
import type { Truth } from '../world/world.ts'
import type { SimulatedDevice } from './device.ts'
import type { ScenarioChip } from './scenario-file.ts'
import { BusState, SimulatedBus } from './simulated-bus.ts'
import { SimulatedColour, type SimulatedColourOptions } from './simulated-colour.ts'
import { SimulatedHts221 } from './simulated-hts221.ts'
import { SimulatedLps25h } from './simulated-lps25h.ts'
import { SimulatedLsm9ds1Magnetic } from './simulated-lsm9ds1-magnetic.ts'
import { SimulatedLsm9ds1Motion } from './simulated-lsm9ds1-motion.ts'

export interface SimulatedBoardOptions {
  readonly seed: number
  /** What is true, asked for at each measurement. */
  readonly truth: () => Truth
  readonly now: () => number
  /** The colour sensor of a second board; none on the first. */
  readonly colour?: SimulatedColourOptions
  readonly hardIron?: boolean
  /** Called before each transfer. */
  readonly onTransfer?: () => void
}

/** The chips of a Sense HAT in memory, and the bus they are on. */
export class SimulatedBoard {
  readonly state = new BusState()
  readonly devices: Readonly<Partial<Record<ScenarioChip, SimulatedDevice>>>
  readonly #chance: Chance
  readonly #onTransfer: () => void

  constructor(options: SimulatedBoardOptions) {
    const { seed, truth, now, colour, hardIron = false } = options
    // Each chip has chance of its own: what happens to one changes nothing about the others.
    const chance = (chip: string) => createChance(seedFrom(`${chip} ${seed}`))
    this.#chance = chance('bus')
    this.#onTransfer = options.onTransfer ?? (() => undefined)
    this.devices = {
      humidity: new SimulatedHts221(truth, chance('humidity'), now),
      pressure: new SimulatedLps25h(truth, chance('pressure'), now),
      motion: new SimulatedLsm9ds1Motion(truth, chance('motion'), now),
      magnetic: new SimulatedLsm9ds1Magnetic(truth, chance('magnetic'), now, { hardIron }),
      ...(colour && { colour: new SimulatedColour(truth, chance('colour'), now, colour) }),
    }
  }

  /** A new handle on the bus, as opening `/dev/i2c-1` gives. */
  async open(): Promise<I2cBus> {
    return new SimulatedBus(Object.values(this.devices), this.state, this.#chance, this.#onTransfer)
  }
}
