import { type Chip, type ChipDeps, ChipFault, polled, refuseBlank } from './chip.ts'
import {
  CALIBRATION_BYTES,
  decodeCalibration,
  decodeHumidity,
  decodeTemperature,
  type Hts221Calibration,
  limitedHumidity,
} from './hts221-calibration.ts'
import { IDENTITIES } from './identity.ts'
import { Registers } from './registers.ts'

export interface Hts221Sample {
  /** %RH. */
  readonly humidity: number
  /** °C. */
  readonly temperature: number
}

const AV_CONF = 0x10
const CTRL_REG1 = 0x20
const CTRL_REG2 = 0x21
/** Set in the sub-address, it makes a block step from register to register. */
const STEP = 0x80
const CONTROL = STEP | CTRL_REG1
const STATUS_AND_OUT = STEP | 0x27
const CALIBRATION = STEP | 0x30

/** 32 averages of humidity, 16 of temperature, which is the chip's default; the two highest bits are reserved. */
const AVERAGES = 0x1b
/** Active, block data update, 12.5 Hz. */
const RUNNING = 0x87
const BOOT = 0x80
const BOTH_NEW = 0x03
const PERIOD_MS = 80
/** Without anything new for so long the chip does not measure. */
const SILENT_MS = 25 * PERIOD_MS

/** Limits are for what is within its accuracy, %RH; beyond them by more the chip is not to be trusted. */
const HUMIDITY_MARGIN = 3
const BEYOND = `measures a humidity outside of 0 to 100 % by more than ${HUMIDITY_MARGIN}; the limit is published`
const TEMPERATURE = { lowest: -40, highest: 120 }

/** ST's HTS221: humidity and temperature. Registers of its data sheet, DocID026333. */
export class Hts221 implements Chip<Hts221Sample> {
  readonly name = 'HTS221'
  readonly registers: Registers
  readonly #deps: ChipDeps
  /** Status, then humidity and temperature, low byte first. */
  readonly #block = Buffer.alloc(5)
  readonly #out = this.#block.subarray(1)
  #calibration: Hts221Calibration | undefined
  readonly #control = Buffer.alloc(2)
  #latest: Hts221Sample | undefined
  #doubt: string | null = null
  #newAt = 0

  constructor(deps: ChipDeps) {
    this.#deps = deps
    this.registers = new Registers(deps.bus, IDENTITIES.humidity)
  }

  get doubt(): string | null {
    return this.#doubt
  }

  async find(): Promise<void> {
    await this.registers.find()
  }

  async start(): Promise<void> {
    const { now, pause } = this.#deps
    const { registers } = this
    this.#latest = undefined
    await registers.write(CTRL_REG1, 0)
    await registers.write(CTRL_REG2, BOOT)
    const control = () => registers.read(CTRL_REG2)
    if (!(await polled(control, (value) => (value & BOOT) === 0, { tries: 10, everyMs: 5, pause })))
      throw new ChipFault('silent', 'does not finish its start')
    const reserved = (await registers.read(AV_CONF)) & 0xc0
    await registers.write(AV_CONF, reserved | AVERAGES)
    await registers.write(CTRL_REG1, RUNNING)
    const calibration = Buffer.alloc(CALIBRATION_BYTES)
    await registers.block(CALIBRATION, calibration)
    refuseBlank(calibration)
    this.#calibration = decodeCalibration(calibration)
    const status = () => registers.read(STATUS_AND_OUT)
    if (!(await polled(status, (value) => (value & BOTH_NEW) === BOTH_NEW, { tries: 10, everyMs: 25, pause })))
      throw new ChipFault('silent', 'gives no data')
    this.#newAt = now()
  }

  async verify(): Promise<void> {
    await this.registers.block(CONTROL, this.#control)
    // The second holds the heater, too: with it on neither value is that of the air.
    if (this.#control[0] !== RUNNING || this.#control[1] !== 0) throw new ChipFault('reset', 'has lost its settings')
  }

  async sample(): Promise<Hts221Sample> {
    const { now } = this.#deps
    await this.registers.block(STATUS_AND_OUT, this.#block)
    const calibration = this.#calibration
    if (calibration === undefined) throw new ChipFault('reset', 'was not started')
    if ((this.#block.readUInt8(0) & BOTH_NEW) !== BOTH_NEW) {
      if (this.#latest !== undefined && now() - this.#newAt < SILENT_MS) return this.#latest
      // A dip resets it to rest; so this is where most of those are found, before the registers are read back.
      throw new ChipFault('frozen', 'gives no new data')
    }
    refuseBlank(this.#out)
    this.#newAt = now()
    const humidity = decodeHumidity(calibration, this.#out.readInt16LE(0))
    const temperature = decodeTemperature(calibration, this.#out.readInt16LE(2))
    if (temperature < TEMPERATURE.lowest || temperature > TEMPERATURE.highest)
      throw new ChipFault('implausible', 'measures a temperature that cannot be')
    const limited = limitedHumidity(humidity)
    this.#doubt = Math.abs(humidity - limited) > HUMIDITY_MARGIN ? BEYOND : null
    this.#latest = { humidity: limited, temperature }
    return this.#latest
  }
}
