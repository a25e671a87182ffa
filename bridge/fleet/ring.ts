/** One point of a plot, milliseconds. */
export const STEP_MS = 30_000
/** An hour of them. */
export const STEPS = 120
/** What is plotted; a ring that keeps fewer fields keeps the first ones. */
export const PLOTTED = ['temperature', 'humidity', 'pressure', 'illuminance', 'pitch', 'roll', 'yaw'] as const
export type Plotted = (typeof PLOTTED)[number]

/**
 * The last hour of a device: one value per field and step, the last that was put there. A step is a number that rises by
 * one every `STEP_MS`. Steps without a value are gaps.
 */
export class Ring {
  readonly #fields: number
  /** Field by field; single precision is finer than any of the sensors. */
  readonly #values: Float32Array
  #newest = Number.NEGATIVE_INFINITY

  constructor(fields: number) {
    this.#fields = fields
    this.#values = new Float32Array(fields * STEPS).fill(Number.NaN)
  }

  /** The first step of the hour that ends with `last`. */
  static firstOf(last: number): number {
    return last - STEPS + 1
  }

  /** `value` gives NaN for what was not measured. A step of more than an hour before the newest is gone already. */
  put(step: number, value: (field: Plotted) => number): void {
    if (step <= this.#newest - STEPS) return
    for (let empty = Math.max(this.#newest + 1, Ring.firstOf(step)); empty < step; empty++)
      this.#set(empty, () => Number.NaN)
    this.#newest = Math.max(this.#newest, step)
    this.#set(step, value)
  }

  /** Of the hour that ends with `last`; `undefined` where the field is not kept, `null` where there is no value. */
  points(field: Plotted, last: number): (number | null)[] | undefined {
    const index = PLOTTED.indexOf(field)
    if (index >= this.#fields) return undefined
    return Array.from({ length: STEPS }, (_, i) => {
      const step = Ring.firstOf(last) + i
      if (step > this.#newest || step <= this.#newest - STEPS) return null
      const value = this.#values[index * STEPS + (step % STEPS)] ?? Number.NaN
      return Number.isNaN(value) ? null : Math.round(value * 100) / 100
    })
  }

  #set(step: number, value: (field: Plotted) => number): void {
    for (let index = 0; index < this.#fields; index++)
      this.#values[index * STEPS + (step % STEPS)] = value(PLOTTED[index] as Plotted)
  }
}
