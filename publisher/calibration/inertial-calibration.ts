import type { InertialSample } from '../sensors/inertial-sample.ts'
import type { Vector } from '../sensors/rotation.ts'
import { type Affine, corrected } from './affine.ts'
import { type Matrix3, times } from './matrix3.ts'

/** What is known of the inertial chips of one board; `null` where it is not. */
export interface InertialCalibration {
  readonly accel: Affine | null
  /** Hard iron and soft iron: the magnetism of what is next to the chip. */
  readonly field: Affine | null
  /** A board that is not mounted in the usual way: turns its axes into those that are meant, after the corrections. */
  readonly mounting: Matrix3 | null
  /** rad/s, as it was once; the filter learns what it is now. */
  readonly gyroBias: Vector | null
  /** Degrees that true north is east of magnetic north. */
  readonly declination: number
}

export const UNCALIBRATED: InertialCalibration = {
  accel: null,
  field: null,
  mounting: null,
  gyroBias: null,
  declination: 0,
}

/** What the chips say, made true. The bias of the gyroscope stays in. */
export function calibrated({ motion, magnetic }: InertialSample, by: InertialCalibration): InertialSample {
  const mounted = (v: Vector) => (by.mounting === null ? v : times(by.mounting, v))
  const made = (v: Vector | null, affine: Affine | null) => v && mounted(affine === null ? v : corrected(affine, v))
  return {
    motion: motion && { ...motion, accel: made(motion.accel, by.accel), gyro: made(motion.gyro, null) },
    magnetic: magnetic && { ...magnetic, field: made(magnetic.field, by.field) },
  }
}
