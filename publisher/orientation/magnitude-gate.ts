export interface MagnitudeGateOptions {
  /** The magnitude of the undisturbed vector; `undefined` takes the first plausible one. */
  readonly expected?: number
  /** Share of it by which a vector may be longer or shorter. */
  readonly tolerance: number
  /** Magnitudes that can be undisturbed at all. */
  readonly plausible: readonly [from: number, to: number]
  /** Seconds in which the expected magnitude follows what was let through; infinity keeps it. */
  readonly memorySeconds: number
  /** Seconds without a pause after which what was kept out is no disturbance any more: that is how it is now. */
  readonly patienceSeconds: number
}

/**
 * Tells a disturbed vector by its length alone: a board that is shaken feels more or less than 1 g, and a magnet
 * nearby makes the field stronger or weaker.
 */
export class MagnitudeGate {
  readonly #options: MagnitudeGateOptions
  #expected: number | undefined
  #keptOutSeconds = 0
  #keptOutSum = 0

  constructor(options: MagnitudeGateOptions) {
    this.#options = options
    this.#expected = options.expected
  }

  /** `seconds` since the vector before this one. */
  accepts(magnitude: number, seconds: number): boolean {
    const { tolerance, memorySeconds, plausible } = this.#options
    const [least, most] = plausible
    if (this.#expected === undefined && magnitude >= least && magnitude <= most) this.#expected = magnitude
    if (this.#expected === undefined) return false
    if (Math.abs(magnitude - this.#expected) > tolerance * this.#expected) {
      this.#keptOut(magnitude, seconds)
      return false
    }
    this.#keptOutSeconds = 0
    this.#keptOutSum = 0
    this.#expected = magnitude + (this.#expected - magnitude) * Math.exp(-seconds / memorySeconds)
    return true
  }

  #keptOut(magnitude: number, seconds: number): void {
    this.#keptOutSeconds += seconds
    this.#keptOutSum += magnitude * seconds
    if (this.#keptOutSeconds < this.#options.patienceSeconds) return
    const mean = this.#keptOutSum / this.#keptOutSeconds
    const [least, most] = this.#options.plausible
    if (mean >= least && mean <= most) this.#expected = mean
    this.#keptOutSeconds = 0
    this.#keptOutSum = 0
  }
}
