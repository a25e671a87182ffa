/** x, y, z in the frame RTIMULib uses: x to the USB end, y to the HDMI edge, z down into the Pi. */
export interface Vector {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** A unit quaternion that turns body coordinates into those of the earth (north, east, down). */
export interface Quaternion extends Vector {
  readonly w: number
}

export const DEGREE = Math.PI / 180

/** From roll, pitch and yaw in radians, turned about z, then y, then x. */
export function fromEuler(roll: number, pitch: number, yaw: number): Quaternion {
  const [cr, sr] = [Math.cos(roll / 2), Math.sin(roll / 2)]
  const [cp, sp] = [Math.cos(pitch / 2), Math.sin(pitch / 2)]
  const [cy, sy] = [Math.cos(yaw / 2), Math.sin(yaw / 2)]
  return {
    w: cr * cp * cy + sr * sp * sy,
    x: sr * cp * cy - cr * sp * sy,
    y: cr * sp * cy + sr * cp * sy,
    z: cr * cp * sy - sr * sp * cy,
  }
}

export function multiply(a: Quaternion, b: Quaternion): Quaternion {
  return {
    w: a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
    x: a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
    y: a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
    z: a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
  }
}

export function conjugate(q: Quaternion): Quaternion {
  return { w: q.w, x: -q.x, y: -q.y, z: -q.z }
}

/** A vector of the earth as the body in pose `q` sees it. */
export function toBody(q: Quaternion, v: Vector): Vector {
  return multiply(multiply(conjugate(q), { w: 0, ...v }), q)
}

/** Mean rate of turn, rad/s in the body's axes, that leads from one pose to the other. */
export function ratesBetween(from: Quaternion, to: Quaternion, seconds: number): Vector {
  const turn = multiply(conjugate(from), to)
  // Both signs of a quaternion are the same pose; the shorter way is meant.
  const scale = (turn.w < 0 ? -2 : 2) / seconds
  return { x: turn.x * scale, y: turn.y * scale, z: turn.z * scale }
}

export function cross(a: Vector, b: Vector): Vector {
  return { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x }
}

export function length(v: Vector): number {
  return Math.hypot(v.x, v.y, v.z)
}
