import { cross, length, type Vector } from './rotation.ts'

/** Degrees, 0 ≤ x < 360, as python-sense-hat gives them: a pitch of −90° is 270. */
export interface Orientation {
  readonly pitch: number
  readonly roll: number
  /** `null` when the field is parallel to gravity, or there is no magnetometer. */
  readonly yaw: number | null
}

/** Free fall: shorter accelerations, g, have no "down". */
const LEAST_GRAVITY_G = 0.05
/** Share of the field that must be across gravity for a heading. */
const LEAST_HORIZONTAL = 1e-3

/**
 * Pose from gravity and field alone, without the gyroscope: the triad method (Black, 1964). Gravity gives
 * "down", field across down gives "east", and these give north; roll, pitch and yaw are those of the
 * rotation from the body to north, east, down. The heading is therefore tilt-compensated and magnetic.
 */
export function orientation(accel: Vector, field: Vector | null): Orientation | null {
  const gravity = length(accel)
  if (gravity < LEAST_GRAVITY_G) return null
  const down = scaled(accel, 1 / gravity)
  return {
    pitch: degrees(-Math.asin(Math.max(-1, Math.min(1, down.x)))),
    roll: degrees(Math.atan2(down.y, down.z)),
    yaw: field === null ? null : heading(down, field),
  }
}

function heading(down: Vector, field: Vector): number | null {
  const east = cross(down, field)
  const across = length(east)
  if (across <= LEAST_HORIZONTAL * length(field)) return null
  const unit = scaled(east, 1 / across)
  return degrees(Math.atan2(unit.x, cross(unit, down).x))
}

function scaled(v: Vector, by: number): Vector {
  return { x: v.x * by, y: v.y * by, z: v.z * by }
}

/** Radians as degrees of 0 ≤ x < 360. */
function degrees(radians: number): number {
  const value = (radians * 180) / Math.PI
  const wrapped = value < 0 ? value + 360 : value
  return wrapped >= 360 ? 0 : wrapped + 0
}
