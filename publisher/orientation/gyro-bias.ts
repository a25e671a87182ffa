import { DEGREE, length, minus, plus, scaled, type Vector } from '../sensors/rotation.ts'

/** Seconds that are judged, and learned from, together. */
const WINDOW_S = 2
/** A window holds at least so many samples, or nothing can be said of it. */
const LEAST_SAMPLES = 8
/** Deviations within a window of a board that lies still: rad/s and g, each axis. The chip's noise is a seventh of it. */
const STILL_TURN = 0.5 * DEGREE
const STILL_ACCEL_G = 0.015
/** µT by which the field may differ between the halves of a window: a constant slow turn has no other sign. */
const STILL_FIELD_UT = 0.5
/** Without a magnetometer to ask, a change of the bias by more, rad/s, from one window to the next is a turn. */
const MOST_DRIFT = 1 * DEGREE
/** The data sheet's typical offset, rad/s: more than that is a turn. */
const MOST_BIAS = 30 * DEGREE
/** After the first window the bias follows in so many seconds: it drifts with the temperature, within minutes. */
const MEMORY_S = 60

const NOTHING: Vector = { x: 0, y: 0, z: 0 }

/**
 * What the gyroscope shows of a board that does not turn, by the data sheet up to ±30 °/s. It is learned while the board lies
 * still. Still is what does not change, not what is small: otherwise a part with a large offset would never be seen at rest.
 */
export class GyroBias {
  #bias: Vector | null
  /** Seen at rest, and not only guessed. */
  #isLearned = false
  #turn = new Spread()
  #accel = new Spread()
  readonly #halves = [new Spread(), new Spread()] as const
  #seconds = 0

  /** `guess`: what was known before; the first two seconds at rest replace it. */
  constructor(guess: Vector | null = null) {
    this.#bias = guess
  }

  /** rad/s; without a guess `null` until the board has lain still for two seconds. */
  get value(): Vector | null {
    return this.#bias
  }

  /** `field` is `null` when nothing new was measured, too. */
  feed(gyro: Vector, accel: Vector, field: Vector | null, seconds: number): void {
    this.#turn.add(gyro)
    this.#accel.add(accel)
    if (field !== null) this.#halves[this.#seconds < WINDOW_S / 2 ? 0 : 1].add(field)
    this.#seconds += seconds
    if (this.#seconds < WINDOW_S) return
    if (this.#isStill()) this.#learn(this.#turn.mean)
    this.forget()
  }

  /** What was gathered of the window is not of one piece with what comes. */
  forget(): void {
    this.#seconds = 0
    for (const spread of [this.#turn, this.#accel, ...this.#halves]) spread.clear()
  }

  #isStill(): boolean {
    if (this.#turn.count < LEAST_SAMPLES || length(this.#turn.mean) > MOST_BIAS) return false
    return this.#turn.deviation < STILL_TURN && this.#accel.deviation < STILL_ACCEL_G && !this.#turnsSlowly()
  }

  /** At a constant rate, that is, which looks like a bias. */
  #turnsSlowly(): boolean {
    const [before, after] = this.#halves
    if (before.count > 0 && after.count > 0) return length(minus(before.mean, after.mean)) > STILL_FIELD_UT
    return this.#isLearned && this.#bias !== null && length(minus(this.#turn.mean, this.#bias)) > MOST_DRIFT
  }

  #learn(mean: Vector): void {
    const share = this.#isLearned ? Math.min(1, this.#seconds / MEMORY_S) : 1
    this.#bias = this.#bias === null ? mean : plus(this.#bias, scaled(minus(mean, this.#bias), share))
    this.#isLearned = true
  }
}

/** Mean and standard deviation of vectors, without keeping them. */
class Spread {
  count = 0
  #origin = NOTHING
  #sum = NOTHING
  #squares = NOTHING

  add(v: Vector): void {
    // About the first one: squares of a large offset would swallow the noise.
    if (this.count === 0) this.#origin = v
    const { x, y, z } = minus(v, this.#origin)
    this.#sum = plus(this.#sum, { x, y, z })
    this.#squares = plus(this.#squares, { x: x * x, y: y * y, z: z * z })
    this.count++
  }

  get mean(): Vector {
    return plus(this.#origin, scaled(this.#sum, 1 / this.count))
  }

  /** Of the axis that has the largest. */
  get deviation(): number {
    const { x, y, z } = scaled(this.#sum, 1 / this.count)
    const squares = scaled(this.#squares, 1 / this.count)
    return Math.sqrt(Math.max(squares.x - x * x, squares.y - y * y, squares.z - z * z, 0))
  }

  clear(): void {
    this.count = 0
    this.#sum = NOTHING
    this.#squares = NOTHING
  }
}
