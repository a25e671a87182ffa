import {
  cross,
  fromDirections,
  fromEuler,
  fullCircle,
  length,
  type Quaternion,
  scaled,
  type Vector,
} from '../sensors/rotation.ts'

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
  const down = downOf(accel)
  if (down === null) return null
  const level = field && levelOf(down, field)
  const { roll, pitch } = tiltOf(down)
  return {
    pitch: fullCircle(pitch),
    roll: fullCircle(roll),
    yaw: level && fullCircle(Math.atan2(level.east.x, level.north.x)),
  }
}

/** The same as a quaternion; `null` where there is no heading. Unlike the angles it has no pose at which it loses one. */
export function measuredPose(accel: Vector, field: Vector): Quaternion | null {
  const down = downOf(accel)
  const level = down && levelOf(down, field)
  return down && level && fromDirections(level.north, level.east, down)
}

/** Roll and pitch of gravity alone, heading north. */
export function measuredTilt(accel: Vector): Quaternion | null {
  const down = downOf(accel)
  if (down === null) return null
  const { roll, pitch } = tiltOf(down)
  return fromEuler(roll, pitch, 0)
}

function tiltOf(down: Vector): { roll: number; pitch: number } {
  return { roll: Math.atan2(down.y, down.z), pitch: -Math.asin(Math.max(-1, Math.min(1, down.x))) }
}

/** A unit vector, or `null` in free fall. */
export function downOf(accel: Vector): Vector | null {
  const gravity = length(accel)
  return gravity < LEAST_GRAVITY_G ? null : scaled(accel, 1 / gravity)
}

function levelOf(down: Vector, field: Vector): { north: Vector; east: Vector } | null {
  const across = cross(down, field)
  const size = length(across)
  if (size <= LEAST_HORIZONTAL * length(field)) return null
  const east = scaled(across, 1 / size)
  return { north: cross(east, down), east }
}
