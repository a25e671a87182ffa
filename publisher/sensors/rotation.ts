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

/** Unit length; a quaternion that is kept for hours would lose it to rounding. */
export function normalised(q: Quaternion): Quaternion {
  const by = 1 / Math.sqrt(q.w * q.w + dot(q, q))
  return { w: q.w * by, x: q.x * by, y: q.y * by, z: q.z * by }
}

/** Below this angle, rad, sine and angle are one number. */
const NO_ANGLE = 1e-9

/** The turn about `axis` by its length, rad. Exact at a constant rate, however long the step. */
export function fromTurn(axis: Vector): Quaternion {
  const angle = length(axis)
  const scale = angle < NO_ANGLE ? 0.5 : Math.sin(angle / 2) / angle
  return { w: Math.cos(angle / 2), x: axis.x * scale, y: axis.y * scale, z: axis.z * scale }
}

/** The pose a share, 0 to 1, of the shortest way from one to another. */
export function toward(from: Quaternion, to: Quaternion, share: number): Quaternion {
  const way = multiply(conjugate(from), to)
  // Both signs of a quaternion are the same pose; one of them is the long way round.
  const sign = way.w < 0 ? -1 : 1
  const sine = length(way)
  if (sine < NO_ANGLE) return from
  const half = share * Math.acos(Math.min(1, sign * way.w))
  const scale = (sign * Math.sin(half)) / sine
  return normalised(multiply(from, { w: Math.cos(half), x: way.x * scale, y: way.y * scale, z: way.z * scale }))
}

/** The pose of a body that sees north, east and down, three unit vectors at right angles, in these directions. */
export function fromDirections(north: Vector, east: Vector, down: Vector): Quaternion {
  // The matrix with these rows turns body into earth. Of four equivalent ways the one that divides by the largest part
  // (Shepperd, 1978).
  const parts = [
    north.x + east.y + down.z,
    north.x - east.y - down.z,
    east.y - north.x - down.z,
    down.z - north.x - east.y,
  ] as const
  const largest = Math.max(...parts)
  const half = Math.sqrt(1 + largest) / 2
  const by = 1 / (4 * half)
  const [xw, yw, zw] = [(down.y - east.z) * by, (north.z - down.x) * by, (east.x - north.y) * by]
  const [xy, xz, yz] = [(north.y + east.x) * by, (north.z + down.x) * by, (east.z + down.y) * by]
  if (largest === parts[0]) return { w: half, x: xw, y: yw, z: zw }
  if (largest === parts[1]) return { w: xw, x: half, y: xy, z: xz }
  if (largest === parts[2]) return { w: yw, x: xy, y: half, z: yz }
  return { w: zw, x: xz, y: yz, z: half }
}

/** So near to a pitch of ±90° that roll and yaw turn about the same axis. */
const UPRIGHT = 1 - 1e-9

/** Radians, −π to π. Where roll and yaw cannot be told apart, at a pitch of ±90°, all of it is yaw. */
export function toEuler({ w, x, y, z }: Quaternion): { roll: number; pitch: number; yaw: number } {
  const sine = 2 * (w * y - x * z)
  if (Math.abs(sine) > UPRIGHT)
    return {
      roll: 0,
      pitch: (Math.sign(sine) * Math.PI) / 2,
      yaw: Math.atan2(2 * (w * z - x * y), 1 - 2 * (x * x + z * z)),
    }
  return {
    roll: Math.atan2(2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    pitch: Math.asin(sine),
    yaw: Math.atan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)),
  }
}

/** Radians as degrees of 0 ≤ x < 360, as python-sense-hat gives angles: −90° is 270. */
export function fullCircle(radians: number): number {
  const value = radians / DEGREE
  const wrapped = value - 360 * Math.floor(value / 360)
  return wrapped >= 360 ? 0 : wrapped + 0
}

/** Mean rate of turn, rad/s in the body's axes, that leads from one pose to the other. */
export function ratesBetween(from: Quaternion, to: Quaternion, seconds: number): Vector {
  const turn = multiply(conjugate(from), to)
  // Both signs of a quaternion are the same pose; the shorter way is meant.
  const scale = (turn.w < 0 ? -2 : 2) / seconds
  return { x: turn.x * scale, y: turn.y * scale, z: turn.z * scale }
}

export function scaled(v: Vector, by: number): Vector {
  return { x: v.x * by, y: v.y * by, z: v.z * by }
}

export function plus(a: Vector, b: Vector): Vector {
  return { x: a.x + b.x, y: a.y + b.y, z: a.z + b.z }
}

export function minus(a: Vector, b: Vector): Vector {
  return { x: a.x - b.x, y: a.y - b.y, z: a.z - b.z }
}

export function dot(a: Vector, b: Vector): number {
  return a.x * b.x + a.y * b.y + a.z * b.z
}

export function cross(a: Vector, b: Vector): Vector {
  return { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x }
}

/** Not by `Math.hypot`, which is many times slower: nothing here is near the ends of what a number holds. */
export function length(v: Vector): number {
  return Math.sqrt(dot(v, v))
}
