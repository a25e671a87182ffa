import type { Vector } from '../rotation.ts'
import { type Chip, type ChipDeps, ChipFault, refuseBlank, refuseRepeated } from './chip.ts'
import { IDENTITIES } from './identity.ts'
import { atLimit, decodeField } from './lsm9ds1-decode.ts'
import { Registers } from './registers.ts'

export interface MagneticSample {
  /** µT, hard iron included; `null` where an axis is at the end of its scale. */
  readonly field: Vector | null
  /** When it was new, milliseconds of the monotonic clock. */
  readonly at: number
}

const CTRL_REG1_M = 0x20
const CTRL_REG2_M = 0x21
const CTRL_REG3_M = 0x22
const CTRL_REG4_M = 0x23
const CTRL_REG5_M = 0x24
/** Set in the sub-address, it makes a block step from register to register; the other half of the chip ignores it. */
const STEP = 0x80
const CONTROL = STEP | CTRL_REG1_M
const STATUS_AND_OUT = STEP | 0x27

const SOFT_RESET = 0x04
const RESET_TAKES_MS = 10
/**
 * CTRL_REG1_M to CTRL_REG5_M: temperature compensated, best of four modes on all axes, 20 Hz; ±4 gauss; continuous;
 * block data update.
 */
const SETTINGS = Buffer.from([0xf4, 0x00, 0x00, 0x0c, 0x40])
const ALL_NEW = 0x08
const PERIOD_MS = 50
/** It has nothing new before that; a little less than its period, for who asks at its rate. */
const ASK_AGAIN_MS = 0.9 * PERIOD_MS
const UNTRUE_SAMPLES = 2
/** Without anything new for so long the chip does not measure. */
const SILENT_MS = 40 * PERIOD_MS
const OUT = 1

/** The half of ST's LSM9DS1 that feels the magnetic field. */
export class Lsm9ds1Magnetic implements Chip<MagneticSample> {
  readonly name = 'LSM9DS1 magnetometer'
  readonly registers: Registers
  readonly #deps: ChipDeps
  /** Status, then three axes, low byte first. */
  readonly #block = Buffer.alloc(7)
  readonly #out = this.#block.subarray(OUT)
  readonly #control = Buffer.alloc(SETTINGS.length)
  #latest: MagneticSample | undefined
  #newAt = 0

  constructor(deps: ChipDeps) {
    this.#deps = deps
    this.registers = new Registers(deps.bus, IDENTITIES.magnetic)
  }

  async find(): Promise<void> {
    await this.registers.find()
  }

  async start(): Promise<void> {
    const { now, pause } = this.#deps
    const { registers } = this
    this.#latest = undefined
    await registers.write(CTRL_REG2_M, SOFT_RESET)
    await pause(RESET_TAKES_MS)
    for (const register of [CTRL_REG1_M, CTRL_REG2_M, CTRL_REG4_M, CTRL_REG5_M, CTRL_REG3_M])
      await registers.write(register, SETTINGS.readUInt8(register - CTRL_REG1_M))
    await pause((UNTRUE_SAMPLES + 1) * PERIOD_MS)
    this.#newAt = now()
  }

  async verify(): Promise<void> {
    await this.registers.block(CONTROL, this.#control)
    if (!this.#control.equals(SETTINGS))
      throw new ChipFault('reset', 'has lost its settings, or another program has set it')
  }

  async sample(): Promise<MagneticSample> {
    const { now } = this.#deps
    // The pose is followed faster than it measures, and the bus is not for asking in vain.
    if (this.#latest !== undefined && now() - this.#newAt < ASK_AGAIN_MS) return this.#latest
    await this.registers.block(STATUS_AND_OUT, this.#block)
    const at = now()
    if ((this.#block.readUInt8(0) & ALL_NEW) === 0) {
      if (this.#latest !== undefined && at - this.#newAt < SILENT_MS) return this.#latest
      throw new ChipFault('frozen', 'gives no new data')
    }
    refuseBlank(this.#out)
    refuseRepeated(this.#out)
    this.#newAt = at
    this.#latest = { field: atLimit(this.#block, OUT) ? null : decodeField(this.#block, OUT), at }
    return this.#latest
  }
}
