import fc from 'fast-check'
import type { PoseTracker } from '../../../publisher/orientation/pose-tracker.ts'
import type { InertialSample } from '../../../publisher/sensors/inertial-sample.ts'
import {
  DEGREE,
  dot,
  fromTurn,
  multiply,
  normalised,
  plus,
  type Quaternion,
  scaled,
  toBody,
  type Vector,
} from '../../../publisher/sensors/rotation.ts'

export const NOTHING: Vector = { x: 0, y: 0, z: 0 }
/** Central Europe, µT: north, east, down. */
export const FIELD: Vector = { x: 20.7, y: 0, z: 44.4 }
export const STEP_S = 0.02

export const vectors = (most: number) => {
  const part = fc.double({ min: -most, max: most, noNaN: true })
  return fc.record({ x: part, y: part, z: part })
}

/** Every pose, whatever its heading and tilt. */
export const poses: fc.Arbitrary<Quaternion> = fc
  .record({ w: fc.double({ min: -1, max: 1, noNaN: true }), v: vectors(1) })
  .map(({ w, v }) => ({ w, ...v }))
  .filter((q) => Math.hypot(q.w, q.x, q.y, q.z) > 0.1)
  .map(normalised)

/** Degrees between two poses. */
export function turnBetween(a: Quaternion, b: Quaternion): number {
  return (2 * Math.acos(Math.min(1, Math.abs(a.w * b.w + dot(a, b))))) / DEGREE
}

/** Degrees between two headings, on the circle. */
export function apart(a: number, b: number): number {
  return Math.abs(((a - b + 540) % 360) - 180)
}

/** A board whose sensors have no noise, and whatever error a test gives them. */
export class Body {
  pose: Quaternion
  /** rad/s, in its own axes. */
  rate: Vector = NOTHING
  bias: Vector = NOTHING
  /** g and µT in its own axes, on top of gravity and the earth's field. */
  shove: Vector = NOTHING
  magnet: Vector = NOTHING
  now = 0
  #fieldAt = Number.NEGATIVE_INFINITY
  #field: Vector = NOTHING

  constructor(pose: Quaternion) {
    this.pose = pose
  }

  move(seconds = STEP_S): InertialSample & { readonly motion: object; readonly magnetic: object } {
    this.now += seconds * 1000
    this.pose = normalised(multiply(this.pose, fromTurn(scaled(this.rate, seconds))))
    // 20 Hz.
    if (this.now - this.#fieldAt > 49.9) {
      this.#fieldAt = this.now
      this.#field = plus(toBody(this.pose, FIELD), this.magnet)
    }
    return {
      motion: {
        accel: plus(toBody(this.pose, { x: 0, y: 0, z: 1 }), this.shove),
        gyro: plus(this.rate, this.bias),
        at: this.now,
      },
      magnetic: { field: this.#field, at: this.#fieldAt },
    }
  }

  /** Lets a tracker see it for so long; `change` may take something of each sample away. */
  seenBy(tracker: PoseTracker, seconds: number, change: (sample: InertialSample) => InertialSample = (s) => s): void {
    const steps = Math.round(seconds / STEP_S)
    for (let i = 0; i < steps; i++) tracker.feed(change(this.move()), this.now)
  }
}
