import { type Chip, type ChipDeps, ChipFault, polled, refuseBlank } from './chip.ts'
import { IDENTITIES } from './identity.ts'
import { decodePressure, decodePressureTemperature } from './lps25h-decode.ts'
import { Registers } from './registers.ts'

export interface Lps25hSample {
  /** hPa. */
  readonly pressure: number
  /** °C. */
  readonly temperature: number
}

const RES_CONF = 0x10
const CTRL_REG1 = 0x20
const CTRL_REG2 = 0x21
const FIFO_CTRL = 0x2e
/** Set in the sub-address, it makes a block step from register to register. */
const STEP = 0x80
const CONTROL = STEP | CTRL_REG1
const PRESS_OUT = STEP | 0x28
const TEMP_OUT = STEP | 0x2b

const BOOT_AND_RESET = 0x84
/** 32 averages of pressure and 16 of temperature, whichever way round the data sheet's two descriptions are read. */
const AVERAGES = 0x05
/** The output is the mean of the last 32 measurements. */
const MEAN_OF_32 = 0xdf
const FIFO_ON = 0x40
/** Active, 25 Hz, block data update. */
const RUNNING = 0xc4
/** 32 measurements at 25 Hz, and a fifth more for the chip's own idea of time. */
const MEAN_FILLS_MS = (32 / 25) * 1.2 * 1000

/** The registers hold it from power-up to the first measurement, hPa: no weather, but at 2400 m it is one as well. */
const POWER_UP_HPA = 760
const PRESSURE = { lowest: 260, highest: 1260 }
const TEMPERATURE = { lowest: -30, highest: 105 }

/** ST's LPS25H, and the LPS25HB, which is the same for all that is used here: pressure and its own temperature. */
export class Lps25h implements Chip<Lps25hSample> {
  readonly name = 'LPS25H'
  readonly registers: Registers
  readonly #deps: ChipDeps
  readonly #pressure = Buffer.alloc(3)
  readonly #temperature = Buffer.alloc(2)
  readonly #control = Buffer.alloc(2)
  /** Something else than the value of power-up was seen since the start. */
  #measured = false

  constructor(deps: ChipDeps) {
    this.#deps = deps
    this.registers = new Registers(deps.bus, IDENTITIES.pressure)
  }

  async find(): Promise<void> {
    await this.registers.find()
  }

  async start(): Promise<void> {
    const { pause } = this.#deps
    const { registers } = this
    this.#measured = false
    await registers.write(CTRL_REG1, 0)
    await registers.write(CTRL_REG2, BOOT_AND_RESET)
    const control = () => registers.read(CTRL_REG2)
    if (!(await polled(control, (value) => (value & BOOT_AND_RESET) === 0, { tries: 10, everyMs: 5, pause })))
      throw new ChipFault('silent', 'does not finish its start')
    await registers.write(RES_CONF, AVERAGES)
    await registers.write(FIFO_CTRL, MEAN_OF_32)
    await registers.write(CTRL_REG2, FIFO_ON)
    await registers.write(CTRL_REG1, RUNNING)
    // What the status says of the mean is not documented, so time has to do.
    await pause(MEAN_FILLS_MS)
  }

  async verify(): Promise<void> {
    await this.registers.block(CONTROL, this.#control)
    if (this.#control[0] !== RUNNING || this.#control[1] !== FIFO_ON)
      throw new ChipFault('reset', 'has lost its settings')
  }

  async sample(): Promise<Lps25hSample> {
    const { registers } = this
    // Two blocks: in the mean mode one block would turn back from 0x2a to 0x28 and never reach the temperature.
    await registers.block(PRESS_OUT, this.#pressure)
    await registers.block(TEMP_OUT, this.#temperature)
    refuseBlank(this.#pressure)
    const pressure = decodePressure(this.#pressure)
    const temperature = decodePressureTemperature(this.#temperature)
    if (pressure !== POWER_UP_HPA) this.#measured = true
    else if (this.#measured) await this.verify()
    else throw new ChipFault('reset', 'has not measured since its power came')
    if (pressure < PRESSURE.lowest || pressure > PRESSURE.highest)
      throw new ChipFault('implausible', 'measures a pressure that cannot be')
    if (temperature < TEMPERATURE.lowest || temperature > TEMPERATURE.highest)
      throw new ChipFault('implausible', 'measures a temperature that cannot be')
    return { pressure, temperature }
  }
}
