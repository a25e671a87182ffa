import type { InertialSample } from '../sensors/inertial-sample.ts'
import { DEGREE, fullCircle, minus, toEuler, type Vector } from '../sensors/rotation.ts'
import { Compass } from './compass.ts'
import { GyroBias } from './gyro-bias.ts'
import { type Orientation, orientation } from './measured-pose.ts'
import { PoseFilter } from './pose-filter.ts'

/** The pose of the board, and what was learned to know it. */
export interface TrackedPose {
  /** `null` while the accelerometer has said nothing for too long; its yaw also while there is no heading. */
  readonly orientation: Orientation | null
  /** Degrees, 0 ≤ x < 360: the heading of gravity and field alone, smoothed; `null` while they are disturbed. */
  readonly compass: number | null
  /** rad/s; `null` until it is known. */
  readonly gyroBias: Vector | null
}

export interface PoseTrackerOptions {
  /** Degrees that true north is east of magnetic north. */
  readonly declination?: number
  /** rad/s, what was known of it before: a first guess. */
  readonly gyroBias?: Vector | null
}

/** Follows the pose from one inertial sample to the next. Knows no clock: time is that of the samples. */
export class PoseTracker {
  readonly #filter = new PoseFilter()
  readonly #bias: GyroBias
  readonly #compass = new Compass()
  readonly #declination: number
  #at: number | undefined
  #fieldAt: number | undefined

  constructor({ declination = 0, gyroBias = null }: PoseTrackerOptions = {}) {
    this.#declination = declination
    this.#bias = new GyroBias(gyroBias)
  }

  get pose(): TrackedPose {
    return { orientation: this.#orientation, compass: this.#turned(this.#compass.heading), gyroBias: this.#bias.value }
  }

  /** `now`: monotonic milliseconds, for the case that the chip did not answer. A sample that was given before is left out. */
  feed({ motion, magnetic }: InertialSample, now: number): void {
    const at = motion?.at ?? now
    const seconds = this.#at === undefined ? 0 : (at - this.#at) / 1000
    if (this.#at !== undefined && seconds <= 0) return
    this.#at = at
    const isNew = magnetic !== null && magnetic.at !== this.#fieldAt
    const fieldSeconds = isNew && this.#fieldAt !== undefined ? Math.max(0, magnetic.at - this.#fieldAt) / 1000 : 0
    if (isNew) this.#fieldAt = magnetic.at
    const field = isNew ? magnetic.field : null
    const accel = motion?.accel ?? null
    const turn = motion?.gyro ?? null
    if (turn === null || accel === null) this.#bias.forget()
    else this.#bias.feed(turn, accel, field, seconds)
    const gyro = turn && minus(turn, this.#bias.value ?? NO_BIAS)
    const accepted = this.#filter.advance({ gyro, accel, field, seconds, fieldSeconds })
    const heading = accepted.accel && accepted.field && accel && field ? orientation(accel, field)?.yaw : null
    this.#compass.feed(heading == null ? null : heading * DEGREE, seconds)
  }

  get #orientation(): Orientation | null {
    const { pose, knowsHeading } = this.#filter
    if (pose === null) return null
    const { roll, pitch, yaw } = toEuler(pose)
    return {
      roll: fullCircle(roll),
      pitch: fullCircle(pitch),
      yaw: knowsHeading ? this.#turned(fullCircle(yaw)) : null,
    }
  }

  #turned(heading: number | null): number | null {
    return heading === null ? null : fullCircle((heading + this.#declination) * DEGREE)
  }
}

const NO_BIAS: Vector = { x: 0, y: 0, z: 0 }
