import type { MagneticSample } from './chips/lsm9ds1-magnetic.ts'
import type { MotionSample } from './chips/lsm9ds1-motion.ts'

/** What the inertial chips measured last, for whoever follows the pose; each `null` when its chip does not answer. */
export interface InertialSample {
  readonly motion: MotionSample | null
  readonly magnetic: MagneticSample | null
}
