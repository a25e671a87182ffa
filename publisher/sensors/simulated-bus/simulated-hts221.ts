import type { Chance } from '../world/chance.ts'
import type { Truth } from '../world/world.ts'
import { RegisterChip } from './device.ts'
import { Channel } from './imperfection.ts'

const CTRL_REG1 = 0x20
const CTRL_REG2 = 0x21
const STATUS = 0x27
const HUMIDITY_OUT = 0x28
const TEMP_OUT = 0x2a
const CALIBRATION = 0x30
/**
 * A factory calibration as on real parts: humidity falls with the count, reserved bytes are not zero. It stands for:
 * 33 %RH at −8 counts, 73 %RH at −9940; 19.5 °C at 12 counts, 34.75 °C at 742.
 */
const FACTORY = Buffer.from('42929c16a5c4f8ff5cff2cd90c00e602', 'hex')
/** Counts per %RH and per °C between those points. */
const PER_PERCENT = (-9940 - -8) / (73 - 33)
const PER_DEGREE = (742 - 12) / (34.75 - 19.5)

const BOOT = 0x80
const BOOT_TAKES_MS = 4
const NEW = { temperature: 0x01, humidity: 0x02 }
/** By the two lowest bits of CTRL_REG1, Hz; the first measures once when asked. */
const RATES = [undefined, 1, 7, 12.5] as const

/** Noise of the default averages and accuracy of the data sheet. */
const HUMIDITY = { noise: 0.15, offset: 1.5 }
const TEMPERATURE = { noise: 0.03, offset: 0.2 }

/** An HTS221 by its data sheet (DocID026333). */
export class SimulatedHts221 extends RegisterChip {
  readonly name = 'HTS221'
  readonly #truth: () => Truth
  readonly #humidity: Channel
  readonly #temperature: Channel
  #bootEndsAt = Number.POSITIVE_INFINITY

  constructor(truth: () => Truth, chance: Chance, now: () => number) {
    super(0x5f, now)
    this.#truth = truth
    this.#humidity = new Channel(HUMIDITY, chance)
    this.#temperature = new Channel(TEMPERATURE, chance)
    this.powerUp()
  }

  protected *defaults(): Iterable<readonly [number, number]> {
    yield [0x0f, 0xbc]
    yield [0x10, 0x1b]
    for (const [i, byte] of FACTORY.entries()) yield [CALIBRATION + i, byte]
  }

  protected registerOf(command: number): number {
    return command & 0x7f
  }

  protected steps(command: number): boolean {
    return (command & 0x80) !== 0
  }

  protected period(): number | undefined {
    const control = this.register(CTRL_REG1)
    const rate = RATES[control & 0x03]
    return (control & 0x80) === 0 || rate === undefined ? undefined : 1000 / rate
  }

  protected measure(): void {
    const { humidity, temperature } = this.#truth()
    const whole = (this.register(CTRL_REG1) & 0x04) !== 0
    this.put(HUMIDITY_OUT, -8 + (this.#humidity.of(humidity) - 33) * PER_PERCENT, 2, whole)
    this.put(TEMP_OUT, 12 + (this.#temperature.of(temperature) - 19.5) * PER_DEGREE, 2, whole)
    this.bytes[STATUS] = NEW.temperature | NEW.humidity
  }

  protected override written(register: number, value: number): void {
    if (register >= CALIBRATION && register < CALIBRATION + FACTORY.length)
      throw new Error('a driver writes to the calibration of the HTS221, which would destroy a real one')
    super.written(register, value)
    if (register === CTRL_REG1) this.restartTicks()
    if (register === CTRL_REG2 && (value & BOOT) !== 0) this.#bootEndsAt = this.now() + BOOT_TAKES_MS
    if (register === CTRL_REG2 && (value & 0x01) !== 0 && (this.register(CTRL_REG1) & 0x80) !== 0) {
      this.measure()
      this.bytes[CTRL_REG2] = value & ~0x01
    }
  }

  protected override timePasses(): void {
    if (this.now() < this.#bootEndsAt) return
    this.#bootEndsAt = Number.POSITIVE_INFINITY
    this.bytes[CTRL_REG2] = this.register(CTRL_REG2) & ~BOOT
    FACTORY.copy(this.bytes, CALIBRATION)
  }

  protected override wasRead(register: number): void {
    if (register === HUMIDITY_OUT || register === TEMP_OUT) this.halfRead(register, true)
    if (register === HUMIDITY_OUT + 1) this.#taken(HUMIDITY_OUT, NEW.humidity)
    if (register === TEMP_OUT + 1) this.#taken(TEMP_OUT, NEW.temperature)
  }

  #taken(low: number, bit: number): void {
    this.halfRead(low, false)
    this.bytes[STATUS] = this.register(STATUS) & ~bit
  }
}
