import { dot, length, minus, type Vector } from '../sensors/rotation.ts'
import { boxOf, type EllipsoidFit, fitEllipsoid } from './ellipsoid-fit.ts'
import { Coverage, type Side } from './sphere-coverage.ts'

/** How good a calibration is: of a good one the heading is right within about 2°, of a fair one within 5°. */
export type Quality = 'good' | 'fair' | 'poor'

export interface MagnetometerProgress {
  readonly points: number
  /** Share, 0 to 1, of the directions the field was seen from. */
  readonly coverage: number
  /** Of the ellipsoid through the points so far; `undefined` while they tell none. */
  readonly fit: EllipsoidFit | undefined
  /** The side of the board the field was seen least from, and which way to turn it; `null` when nothing is missing. */
  readonly next: { readonly side: Side; readonly way: 'down' | 'up' } | null
  readonly quality: Quality
  /** Enough was seen. */
  readonly complete: boolean
}

/** µT: a field that has hardly moved tells nothing new. */
const LEAST_APART_UT = 0.5
const LEAST_POINTS = 300
/** Of the sphere; nobody turns a board through the last corner of it. */
const ENOUGH_COVERAGE = 0.85
const RESIDUAL = { good: 0.02, fair: 0.05 }
/** Strength of the field on the earth, µT, with a margin: 22 to 67 [documented, World Magnetic Model]. */
const EARTH_UT = { least: 18, most: 80 }

/** Gathers the field while somebody turns the board through all orientations, and says how it goes. */
export class MagnetometerSession {
  readonly #points: Vector[] = []
  /** Gravity at each of them. */
  readonly #gravity: (Vector | null)[] = []

  /** `accel`: where gravity was then, if known. */
  add(field: Vector, accel: Vector | null): void {
    const last = this.#points.at(-1)
    if (last !== undefined && length(minus(field, last)) < LEAST_APART_UT) return
    this.#points.push(field)
    this.#gravity.push(accel)
  }

  progress(): MagnetometerProgress {
    const points = this.#points.length
    const fit = fitEllipsoid(this.#points)
    const centre = fit?.affine.offset ?? (points === 0 ? { x: 0, y: 0, z: 0 } : boxOf(this.#points).middle)
    const coverage = new Coverage()
    for (const point of this.#points) coverage.add(minus(point, centre))
    const quality = qualityOf(fit)
    const enough = coverage.share >= ENOUGH_COVERAGE
    return {
      points,
      coverage: coverage.share,
      fit,
      next: enough ? null : { side: coverage.leastSeen, way: this.#dip(centre) < 0 ? 'up' : 'down' },
      quality,
      complete: enough && points >= LEAST_POINTS,
    }
  }

  /** Positive where the field points down into the earth, as north of the equator. */
  #dip(centre: Vector): number {
    return this.#points.reduce((sum, point, i) => {
      const down = this.#gravity[i] ?? null
      return down === null ? sum : sum + dot(minus(point, centre), down)
    }, 0)
  }
}

function qualityOf(fit: EllipsoidFit | undefined): Quality {
  if (fit === undefined || fit.radius < EARTH_UT.least || fit.radius > EARTH_UT.most) return 'poor'
  if (fit.residual < RESIDUAL.good) return 'good'
  return fit.residual < RESIDUAL.fair ? 'fair' : 'poor'
}
