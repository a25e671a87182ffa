import type { Vector } from '../rotation.ts'
import { type Chip, type ChipDeps, ChipFault, polled, refuseBlank, refuseRepeated } from './chip.ts'
import { IDENTITIES } from './identity.ts'
import { atLimit, decodeAcceleration, decodeTurn } from './lsm9ds1-decode.ts'
import { Registers } from './registers.ts'
import { Stillness } from './stillness.ts'

/** Both of one moment; `null` where an axis is at the end of its scale. */
export interface MotionSample {
  /** g, direction of gravity. */
  readonly accel: Vector | null
  /** rad/s, bias included. */
  readonly gyro: Vector | null
  /** Milliseconds of the monotonic clock. */
  readonly at: number
}

const CTRL_REG1_G = 0x10
const CTRL_REG2_G = 0x11
const CTRL_REG3_G = 0x12
const OUT_G = 0x18
const CTRL_REG4 = 0x1e
const CTRL_REG5_XL = 0x1f
const CTRL_REG6_XL = 0x20
const CTRL_REG8 = 0x22

/** Software reset; blocks go on stepping through the registers. */
const RESET = 0x05
const AFTER_RESET = 0x04
/** Block data update, and blocks step through the registers. */
const STEADY = 0x44
/** Gyroscope at 119 Hz, ±500 °/s; with it on both sensors run at its rate. */
const TURN_119_HZ = 0x69
/** Accelerometer ±8 g, 50 Hz wide. */
const ACCEL_8_G = 0x7f
const ALL_AXES = 0x38
const PERIOD_MS = 1000 / 119
/** The first samples after a start are not yet true: 3 of the gyroscope, 2 of the accelerometer by the data sheet. */
const UNTRUE_SAMPLES = 5
const GYRO = 0
const ACCEL = 6

/** The half of ST's LSM9DS1 that feels acceleration and turn. Registers of its data sheet, DocID025715. */
export class Lsm9ds1Motion implements Chip<MotionSample> {
  readonly name = 'LSM9DS1'
  readonly registers: Registers
  readonly #deps: ChipDeps
  readonly #block = Buffer.alloc(12)
  readonly #control = Buffer.alloc(3)
  readonly #turnStill = new Stillness(6)
  readonly #accelStill = new Stillness(6)
  #sampledAt = Number.NEGATIVE_INFINITY

  constructor(deps: ChipDeps) {
    this.#deps = deps
    this.registers = new Registers(deps.bus, IDENTITIES.motion)
  }

  async find(): Promise<void> {
    await this.registers.find()
  }

  async start(): Promise<void> {
    const { pause } = this.#deps
    const { registers } = this
    await registers.write(CTRL_REG8, RESET)
    const control = () => registers.read(CTRL_REG8)
    if (!(await polled(control, (value) => value === AFTER_RESET, { tries: 10, everyMs: 10, pause })))
      throw new ChipFault('silent', 'does not finish its start')
    await registers.write(CTRL_REG8, STEADY)
    await registers.write(CTRL_REG1_G, TURN_119_HZ)
    // No high-pass: it would take slow turns for a bias.
    await registers.write(CTRL_REG2_G, 0)
    await registers.write(CTRL_REG3_G, 0)
    await registers.write(CTRL_REG4, ALL_AXES)
    await registers.write(CTRL_REG5_XL, ALL_AXES)
    await registers.write(CTRL_REG6_XL, ACCEL_8_G)
    await pause((UNTRUE_SAMPLES + 1) * PERIOD_MS)
    this.#turnStill.forget()
    this.#accelStill.forget()
  }

  async verify(): Promise<void> {
    const { registers } = this
    const turn = await registers.read(CTRL_REG1_G)
    await registers.block(CTRL_REG6_XL, this.#control)
    if (turn !== TURN_119_HZ || this.#control[0] !== ACCEL_8_G || this.#control[2] !== STEADY)
      throw new ChipFault('reset', 'has lost its settings, or another program has set it')
  }

  async sample(): Promise<MotionSample> {
    const { now } = this.#deps
    // One block: after the gyroscope's registers the chip goes on with the accelerometer's.
    await this.registers.block(OUT_G, this.#block)
    const at = now()
    refuseBlank(this.#block)
    refuseRepeated(this.#block)
    // Asked twice within a period it rightly says the same.
    if (at - this.#sampledAt > PERIOD_MS) {
      this.#sampledAt = at
      this.#turnStill.check(this.#block, GYRO)
      this.#accelStill.check(this.#block, ACCEL)
    }
    return {
      accel: atLimit(this.#block, ACCEL) ? null : decodeAcceleration(this.#block, ACCEL),
      gyro: atLimit(this.#block, GYRO) ? null : decodeTurn(this.#block, GYRO),
      at,
    }
  }
}
