import { fullCircle } from '../sensors/rotation.ts'
import { correction } from './pose-filter.ts'

const SMOOTHING_S = 0.5
/** A heading older than that, seconds, is none. */
const LASTS_S = 2

/**
 * The tilt-compensated heading of gravity and field, without the gyroscope, smoothed on the circle: as sine and cosine,
 * so that the mean of 359° and 1° is 0°.
 */
export class Compass {
  #sine = 0
  #cosine = 0
  #age = Number.POSITIVE_INFINITY

  /** `heading`: rad; `null` when none was measured in this step. */
  feed(heading: number | null, seconds: number): void {
    this.#age += seconds
    if (heading === null) return
    const share = this.#age > LASTS_S ? 1 : correction(this.#age, SMOOTHING_S)
    this.#sine += share * (Math.sin(heading) - this.#sine)
    this.#cosine += share * (Math.cos(heading) - this.#cosine)
    this.#age = 0
  }

  /** Degrees, 0 ≤ x < 360; `null` when none was measured in the last two seconds. */
  get heading(): number | null {
    return this.#age > LASTS_S ? null : fullCircle(Math.atan2(this.#sine, this.#cosine))
  }
}
