import type { Chance } from '../world/chance.ts'
import type { Truth } from '../world/world.ts'
import { RegisterChip } from './device.ts'
import { Channel } from './imperfection.ts'

const CTRL_REG1 = 0x20
const CTRL_REG2 = 0x21
const STATUS = 0x27
const PRESS_OUT = 0x28
const TEMP_OUT = 0x2b
const FIFO_CTRL = 0x2e

const BOOT_AND_RESET = 0x84
const RESET_TAKES_MS = 3
const I2C_OFF = 0x08
const FIFO_ON = 0x40
const MEAN_MODE = 6
/** By bits 6 to 4 of CTRL_REG1, Hz. */
const RATES = [undefined, 1, 7, 12.5, 25] as const

/** Accuracy and noise without filter of the data sheet; of its thermometer an estimate. */
const PRESSURE = { noise: 0.03, offset: 0.3 }
const TEMPERATURE = { noise: 0.05, offset: 0.8 }

/** An LPS25H or LPS25HB by its data sheet (DocID023722). */
export class SimulatedLps25h extends RegisterChip {
  readonly name = 'LPS25H'
  readonly #truth: () => Truth
  readonly #pressure: Channel
  readonly #temperature: Channel
  #resetEndsAt = Number.POSITIVE_INFINITY
  #fifo: number[] = []

  constructor(truth: () => Truth, chance: Chance, now: () => number) {
    super(0x5c, now)
    this.#truth = truth
    this.#pressure = new Channel(PRESSURE, chance)
    this.#temperature = new Channel(TEMPERATURE, chance)
    this.powerUp()
  }

  override powerUp(): void {
    super.powerUp()
    this.#fifo = []
  }

  protected defaults(): Iterable<readonly [number, number]> {
    // 760 hPa in the output, until something was measured.
    return [
      [0x0f, 0xbd],
      [0x10, 0x05],
      [PRESS_OUT + 1, 0x80],
      [PRESS_OUT + 2, 0x2f],
    ]
  }

  protected registerOf(command: number): number {
    return command & 0x7f
  }

  protected steps(command: number): boolean {
    return (command & 0x80) !== 0
  }

  protected override next(register: number): number {
    return register === PRESS_OUT + 2 && this.#fifoMode !== 0 ? PRESS_OUT : register + 1
  }

  protected period(): number | undefined {
    const control = this.register(CTRL_REG1)
    const rate = RATES[(control >> 4) & 0x07]
    return (control & 0x80) === 0 || rate === undefined ? undefined : 1000 / rate
  }

  /** The mean of the last ones is arithmetic, over samples that each have their noise. */
  protected measure(count: number): void {
    const { pressure, temperature } = this.#truth()
    const length = this.#fifoMode === MEAN_MODE ? (this.register(FIFO_CTRL) & 0x1f) + 1 : 1
    for (let i = Math.min(count, length); i > 0; i--) this.#fifo.push(this.#pressure.of(pressure))
    if (this.#fifo.length > length) this.#fifo.splice(0, this.#fifo.length - length)
    const mean = this.#fifo.reduce((sum, one) => sum + one, 0) / this.#fifo.length
    const whole = (this.register(CTRL_REG1) & 0x04) !== 0
    this.put(PRESS_OUT, mean * 4096, 3, whole)
    this.put(TEMP_OUT, (this.#temperature.of(temperature, length) - 42.5) * 480, 2, whole)
    this.bytes[STATUS] = this.register(STATUS) | 0x03
  }

  protected override written(register: number, value: number): void {
    super.written(register, value)
    if (register === CTRL_REG1) this.restartTicks()
    if (register !== CTRL_REG2) return
    if ((value & I2C_OFF) !== 0) throw new Error('a driver switches the I2C of the LPS25H off')
    if ((value & BOOT_AND_RESET) !== 0) this.#resetEndsAt = this.now() + RESET_TAKES_MS
  }

  protected override timePasses(): void {
    if (this.now() < this.#resetEndsAt) return
    this.#resetEndsAt = Number.POSITIVE_INFINITY
    this.powerUp()
  }

  protected override wasRead(register: number): void {
    if (register === PRESS_OUT) this.halfRead(PRESS_OUT, true)
    if (register === TEMP_OUT) this.halfRead(TEMP_OUT, true)
    if (register === PRESS_OUT + 2) this.#taken(PRESS_OUT, 0x02)
    if (register === TEMP_OUT + 1) this.#taken(TEMP_OUT, 0x01)
  }

  #taken(low: number, bit: number): void {
    this.halfRead(low, false)
    this.bytes[STATUS] = this.register(STATUS) & ~bit
  }

  get #fifoMode(): number {
    return (this.register(CTRL_REG2) & FIFO_ON) === 0 ? 0 : this.register(FIFO_CTRL) >> 5
  }
}
