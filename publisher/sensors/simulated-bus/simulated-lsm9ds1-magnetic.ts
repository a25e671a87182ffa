import type { Chance } from '../world/chance.ts'
import type { Truth } from '../world/world.ts'
import { RegisterChip } from './device.ts'
import { Axes } from './imperfection.ts'

const CTRL_REG1_M = 0x20
const CTRL_REG2_M = 0x21
const CTRL_REG3_M = 0x22
const CTRL_REG5_M = 0x24
const STATUS_M = 0x27
const OUT_M = 0x28

const ALL_NEW = 0x0f
/** By bits 4 to 2 of CTRL_REG1_M, Hz. */
const RATES = [0.625, 1.25, 2.5, 5, 10, 20, 40, 80] as const
/** By bits 6 and 5 of CTRL_REG2_M: milligauss a count stands for; 1 gauss is 100 µT. */
const MGAUSS_PER_COUNT = [0.14, 0.29, 0.43, 0.58] as const
/** µT, of the sibling LIS3MDL in its best mode. */
const NOISE_UT = 0.3
/** Hard iron of a board that was never calibrated, µT per axis. */
const HARD_IRON_UT = 25

/** The half of an LSM9DS1 that feels the magnetic field. */
export class SimulatedLsm9ds1Magnetic extends RegisterChip {
  readonly name = 'LSM9DS1 magnetometer'
  readonly #truth: () => Truth
  readonly #field: Axes

  constructor(truth: () => Truth, chance: Chance, now: () => number, options: { readonly hardIron: boolean }) {
    super(0x1c, now)
    this.#truth = truth
    this.#field = new Axes({ noise: NOISE_UT, offset: options.hardIron ? HARD_IRON_UT : 0 }, chance)
    this.powerUp()
  }

  protected defaults(): Iterable<readonly [number, number]> {
    return [
      [0x0f, 0x3d],
      [CTRL_REG1_M, 0x10],
      [CTRL_REG3_M, 0x03],
    ]
  }

  protected registerOf(command: number): number {
    return command & 0x7f
  }

  /** Unlike in the other half. */
  protected steps(command: number): boolean {
    return (command & 0x80) !== 0
  }

  protected period(): number | undefined {
    if ((this.register(CTRL_REG3_M) & 0x03) !== 0) return undefined
    return 1000 / (RATES[(this.register(CTRL_REG1_M) >> 2) & 0x07] ?? 1)
  }

  protected measure(): void {
    const { x, y, z } = this.#field.of(this.#truth().inertia.field)
    const whole = (this.register(CTRL_REG5_M) & 0x40) !== 0
    const perMicrotesla = 10 / (MGAUSS_PER_COUNT[(this.register(CTRL_REG2_M) >> 5) & 0x03] ?? 1)
    this.put(OUT_M, -x * perMicrotesla, 2, whole)
    this.put(OUT_M + 2, y * perMicrotesla, 2, whole)
    this.put(OUT_M + 4, -z * perMicrotesla, 2, whole)
    this.bytes[STATUS_M] = ALL_NEW
  }

  protected override written(register: number, value: number): void {
    super.written(register, value)
    if (register === CTRL_REG2_M && (value & 0x04) !== 0) this.powerUp()
    else if (register === CTRL_REG1_M || register === CTRL_REG3_M) this.restartTicks()
  }

  protected override wasRead(register: number): void {
    if (register < OUT_M || register >= OUT_M + 6) return
    this.halfRead(register & ~1, (register & 1) === 0)
    if (register === OUT_M + 5) this.bytes[STATUS_M] = 0
  }
}
