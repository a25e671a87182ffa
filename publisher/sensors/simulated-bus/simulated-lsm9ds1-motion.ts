import { DEGREE } from '../rotation.ts'
import type { Chance } from '../world/chance.ts'
import type { Truth } from '../world/world.ts'
import { RegisterChip } from './device.ts'
import { Axes, Channel } from './imperfection.ts'

const CTRL_REG1_G = 0x10
const OUT_TEMP = 0x15
const STATUS = [0x17, 0x27] as const
const OUT_G = 0x18
const CTRL_REG6_XL = 0x20
const CTRL_REG8 = 0x22
const OUT_XL = 0x28

const RESET = 0x01
const RESET_TAKES_MS = 5
const STEPS = 0x04
const BLOCK_UPDATE = 0x40
/** By bits 7 to 5 of CTRL_REG1_G, Hz; with it at 0 those of CTRL_REG6_XL drive the accelerometer alone. */
const TURN_RATES = [undefined, 14.9, 59.5, 119, 238, 476, 952] as const
const ACCEL_RATES = [undefined, 10, 50, 119, 238, 476, 952] as const
/** By bits 4 and 3: milli-g and milli-degrees per second a count stands for (data sheet, table 3). */
const MG_PER_COUNT = [0.061, 0.732, 0.122, 0.244] as const
const MDPS_PER_COUNT = [8.75, 17.5, 8.75, 70] as const
/** Samples after a start that are not true yet. */
const UNTRUE = 3

/** Noise at 50 Hz is an estimate, the data sheet gives none; offsets are a part's that was soldered well. g and °/s. */
const ACCEL = { noise: 0.0018, offset: 0.03 }
const TURN = { noise: 0.07, offset: 2 }
/** The die is not calibrated. */
const DIE = { noise: 0.1, offset: 3 }

/** The half of an LSM9DS1 that feels acceleration and turn, by its data sheet (DocID025715). */
export class SimulatedLsm9ds1Motion extends RegisterChip {
  readonly name = 'LSM9DS1'
  readonly #truth: () => Truth
  readonly #accel: Axes
  readonly #turn: Axes
  readonly #die: Channel
  #resetEndsAt = Number.POSITIVE_INFINITY
  #untrue = UNTRUE

  constructor(truth: () => Truth, chance: Chance, now: () => number) {
    super(0x6a, now)
    this.#truth = truth
    this.#accel = new Axes(ACCEL, chance)
    this.#turn = new Axes(TURN, chance)
    this.#die = new Channel(DIE, chance)
    this.powerUp()
  }

  override powerUp(): void {
    super.powerUp()
    this.#untrue = UNTRUE
  }

  protected defaults(): Iterable<readonly [number, number]> {
    return [
      [0x0f, 0x68],
      [0x1e, 0x38],
      [0x1f, 0x38],
      [CTRL_REG8, STEPS],
    ]
  }

  /** The highest bit of the command means nothing here. */
  protected registerOf(command: number): number {
    return command & 0x7f
  }

  protected steps(): boolean {
    return (this.register(CTRL_REG8) & STEPS) !== 0
  }

  /** The outputs of both sensors are one ring while both measure, and each its own otherwise. */
  protected override next(register: number): number {
    const both = this.#turnRate !== undefined
    if (register === OUT_G + 5) return both ? OUT_XL : OUT_G
    if (register === OUT_XL + 5) return both ? OUT_G : OUT_XL
    return register + 1
  }

  protected period(): number | undefined {
    const rate = this.#turnRate ?? ACCEL_RATES[this.register(CTRL_REG6_XL) >> 5]
    return rate === undefined ? undefined : 1000 / rate
  }

  protected measure(count: number): void {
    const { inertia, temperature } = this.#truth()
    const whole = (this.register(CTRL_REG8) & BLOCK_UPDATE) !== 0
    // Left after a start: what the filters have not settled to.
    const settling = this.#untrue > count ? 0.5 : 0
    this.#untrue = Math.max(0, this.#untrue - count)
    const accel = this.#accel.of(inertia.accel)
    const perG = 1000 / (MG_PER_COUNT[(this.register(CTRL_REG6_XL) >> 3) & 0x03] ?? 1)
    // The chip's axes: left-handed, z up through the LEDs.
    this.put(OUT_XL, (settling - accel.x) * perG, 2, whole)
    this.put(OUT_XL + 2, (settling - accel.y) * perG, 2, whole)
    this.put(OUT_XL + 4, (settling + accel.z) * perG, 2, whole)
    if (this.#turnRate === undefined) this.bytes.fill(0, OUT_G, OUT_G + 6)
    else {
      const { x, y, z } = inertia.gyro
      const turn = this.#turn.of({ x: x / DEGREE, y: y / DEGREE, z: z / DEGREE })
      const perDegree = 1000 / (MDPS_PER_COUNT[(this.register(CTRL_REG1_G) >> 3) & 0x03] ?? 1)
      this.put(OUT_G, (turn.x + 100 * settling) * perDegree, 2, whole)
      this.put(OUT_G + 2, (turn.y + 100 * settling) * perDegree, 2, whole)
      this.put(OUT_G + 4, (100 * settling - turn.z) * perDegree, 2, whole)
    }
    this.put(OUT_TEMP, (this.#die.of(temperature) - 25) * 16, 2, whole)
    for (const status of STATUS) this.bytes[status] = this.#turnRate === undefined ? 0x05 : 0x07
  }

  protected override written(register: number, value: number): void {
    super.written(register, value)
    if (register === CTRL_REG1_G || register === CTRL_REG6_XL) {
      this.restartTicks()
      this.#untrue = UNTRUE
    }
    if (register === CTRL_REG8 && (value & RESET) !== 0) this.#resetEndsAt = this.now() + RESET_TAKES_MS
  }

  protected override timePasses(): void {
    if (this.now() < this.#resetEndsAt) return
    this.#resetEndsAt = Number.POSITIVE_INFINITY
    this.powerUp()
  }

  protected override wasRead(register: number): void {
    const output = (register >= OUT_G && register < OUT_G + 6) || (register >= OUT_XL && register < OUT_XL + 6)
    if (output) this.halfRead(register & ~1, (register & 1) === 0)
  }

  get #turnRate(): number | undefined {
    return TURN_RATES[this.register(CTRL_REG1_G) >> 5]
  }
}
