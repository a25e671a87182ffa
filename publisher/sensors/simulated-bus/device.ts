/** A chip on the simulated bus, as the bus sees it. */
export interface SimulatedDevice {
  readonly name: string
  readonly address: number
  /** The chip's own clock stands still: it answers, and nothing in it changes any more. */
  frozen: boolean
  /** Fills `into` with what a block read that begins with `command` gives. */
  read(command: number, into: Buffer): void
  write(command: number, value: number): void
  /** Power came: all registers as the data sheet says. */
  powerUp(): void
}

/** Registers that step, data that comes in time, values that stay whole while they are read. */
export abstract class RegisterChip implements SimulatedDevice {
  abstract readonly name: string
  frozen = false
  readonly address: number
  protected readonly bytes = new Uint8Array(256)
  protected readonly now: () => number
  /** The chip's own measurements, counted by its rate. */
  #ticked = 0
  /** 1 at the low bytes that were read without their high ones. */
  readonly #half = new Uint8Array(256)

  constructor(address: number, now: () => number) {
    this.address = address
    this.now = now
  }

  powerUp(): void {
    this.bytes.fill(0)
    for (const [register, value] of this.defaults()) this.bytes[register] = value
    this.#half.fill(0)
    this.#ticked = this.now()
  }

  read(command: number, into: Buffer): void {
    this.#pass()
    let register = this.registerOf(command)
    const steps = this.steps(command)
    for (let i = 0; i < into.length; i++) {
      into[i] = this.bytes[register] ?? 0
      this.wasRead(register)
      if (steps) register = this.next(register)
    }
  }

  write(command: number, value: number): void {
    this.#pass()
    this.written(this.registerOf(command), value)
  }

  protected abstract defaults(): Iterable<readonly [register: number, value: number]>
  /** Milliseconds between two measurements; `undefined` while it rests. */
  protected abstract period(): number | undefined
  /** `count` measurements were due since the last time. */
  protected abstract measure(count: number): void
  protected abstract registerOf(command: number): number
  protected abstract steps(command: number): boolean

  protected next(register: number): number {
    return (register + 1) & 0xff
  }

  protected written(register: number, value: number): void {
    this.bytes[register] = value
  }

  protected wasRead(_register: number): void {}

  /** Something happens by time alone. */
  protected timePasses(): void {}

  /** Measuring begins anew, one period from now. */
  protected restartTicks(): void {
    this.#ticked = this.now()
  }

  protected register(at: number): number {
    return this.bytes[at] ?? 0
  }

  /** Two's complement, low byte first. Waits, with block data update, until what was half read is read. */
  protected put(at: number, count: number, length: number, blockUpdate: boolean): void {
    if (blockUpdate && this.#half[at] === 1) return
    const limit = 2 ** (8 * length - 1)
    const whole = Math.max(-limit, Math.min(limit - 1, Math.round(count)))
    for (let i = 0; i < length; i++) this.bytes[at + i] = (whole >> (8 * i)) & 0xff
  }

  protected halfRead(low: number, is: boolean): void {
    this.#half[low] = is ? 1 : 0
  }

  #pass(): void {
    if (this.frozen) {
      this.#ticked = this.now()
      return
    }
    this.timePasses()
    const period = this.period()
    if (period === undefined) {
      this.#ticked = this.now()
      return
    }
    const count = Math.floor((this.now() - this.#ticked) / period)
    if (count < 1) return
    this.#ticked += count * period
    this.measure(count)
  }
}
