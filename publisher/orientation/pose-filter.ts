import {
  cross,
  dot,
  fromTurn,
  length,
  multiply,
  normalised,
  plus,
  type Quaternion,
  scaled,
  toBody,
  toward,
  type Vector,
} from '../sensors/rotation.ts'
import { MagnitudeGate } from './magnitude-gate.ts'
import { downOf, measuredPose, measuredTilt } from './measured-pose.ts'

/** What was measured at one moment; each `null` where it was not. */
export interface FilterInput {
  /** rad/s, without its bias. */
  readonly gyro: Vector | null
  /** g, direction of gravity. */
  readonly accel: Vector | null
  /** µT; `null` also when the magnetometer has nothing new. */
  readonly field: Vector | null
  /** Since the sample before. */
  readonly seconds: number
  /** Since the field before. */
  readonly fieldSeconds: number
}

/** What was taken for true of a sample. */
export interface Accepted {
  readonly accel: boolean
  readonly field: boolean
}

/** Seconds in which 1/e is left of a difference to the measured pose; shorter at first, when it is largest. */
const CORRECTION_S = 0.5
const FIRST_CORRECTION_S = 0.1
const FIRST_S = 2
/** The filter starts from the mean of so many samples. */
const START_SAMPLES = 5
/** After a pause that long nobody knows what happened: it starts anew. */
const PAUSE_S = 0.5
/** Seconds the gyroscope alone is followed, */
const TILT_LASTS_S = 10
const HEADING_LASTS_S = 15 * 60
/** and that it is believed without one that nothing has turned. */
const BLIND_TILT_S = 0.5
const BLIND_HEADING_S = 3

const DOWN: Vector = { x: 0, y: 0, z: 1 }
const NOTHING: Vector = { x: 0, y: 0, z: 0 }

/**
 * Where the board points: a complementary filter. The gyroscope tells each turn at once, and drifts; gravity and field tell the pose
 * without drift, and tremble. So the pose is turned by the gyroscope and drawn to the measured one, half of the way in a
 * third of a second. It has the steady state of RTIMULib's RTQF, on which python-sense-hat builds; unlike there the draw is by
 * time and not by sample, disturbed measurements are left out, and what nobody measures any more is not told.
 */
export class PoseFilter {
  readonly #gravity = new MagnitudeGate({
    expected: 1,
    tolerance: 0.15,
    plausible: [0.5, 1.5],
    memorySeconds: Number.POSITIVE_INFINITY,
    patienceSeconds: TILT_LASTS_S,
  })
  readonly #field = new MagnitudeGate({
    tolerance: 0.35,
    plausible: [5, 200],
    memorySeconds: 60,
    // For as long as the gyroscope knows better; what is different even then is how it is now.
    patienceSeconds: HEADING_LASTS_S,
  })
  #pose: Quaternion | undefined
  #age = 0
  #tiltAge = 0
  #headingAge = Number.POSITIVE_INFINITY
  #start = { samples: 0, accel: NOTHING, field: NOTHING }

  /** `null` while roll and pitch are not known. */
  get pose(): Quaternion | null {
    return this.#pose !== undefined && this.#tiltAge < TILT_LASTS_S ? this.#pose : null
  }

  get knowsHeading(): boolean {
    return this.pose !== null && this.#headingAge < HEADING_LASTS_S
  }

  advance(input: FilterInput): Accepted {
    const { gyro, accel, field, seconds, fieldSeconds } = input
    const accepted = {
      accel: accel !== null && this.#gravity.accepts(length(accel), seconds),
      field: field !== null && this.#field.accepts(length(field), fieldSeconds),
    }
    if (seconds > PAUSE_S || this.pose === null) this.#restart()
    const down = accepted.accel ? accel : null
    const north = accepted.field ? field : null
    this.#age += seconds
    const isBlind = gyro === null
    this.#tiltAge += isBlind ? (seconds * TILT_LASTS_S) / BLIND_TILT_S : seconds
    this.#headingAge += isBlind ? (seconds * HEADING_LASTS_S) / BLIND_HEADING_S : seconds
    if (this.#pose === undefined || this.#start.samples < START_SAMPLES) {
      if (down !== null) this.#begin(down, north)
      return accepted
    }
    this.#pose = predicted(this.#pose, gyro ?? NOTHING, seconds)
    if (down !== null) this.#correct(this.#pose, down, north, seconds)
    return accepted
  }

  #correct(pose: Quaternion, accel: Vector, field: Vector | null, seconds: number): void {
    const full = field && measuredPose(accel, field)
    const share = correction(seconds, this.#age < FIRST_S ? FIRST_CORRECTION_S : CORRECTION_S)
    // A heading that was not known for so long is taken as it is.
    if (full !== null && !this.knowsHeading) this.#pose = full
    else this.#pose = toward(pose, full ?? levelled(pose, accel), share)
    this.#tiltAge = 0
    if (full !== null) this.#headingAge = 0
  }

  #begin(accel: Vector, field: Vector | null): void {
    const start = {
      samples: this.#start.samples + 1,
      accel: plus(this.#start.accel, accel),
      field: field === null ? this.#start.field : plus(this.#start.field, field),
    }
    this.#start = start
    const full = measuredPose(start.accel, start.field)
    this.#pose = full ?? measuredTilt(start.accel) ?? undefined
    this.#tiltAge = 0
    if (full !== null) this.#headingAge = 0
  }

  #restart(): void {
    this.#pose = undefined
    this.#age = 0
    this.#tiltAge = 0
    this.#headingAge = Number.POSITIVE_INFINITY
    this.#start = { samples: 0, accel: NOTHING, field: NOTHING }
  }
}

/** The pose after turning at `rate`, rad/s in the body's axes: exact while the rate is constant. */
export function predicted(pose: Quaternion, rate: Vector, seconds: number): Quaternion {
  return normalised(multiply(pose, fromTurn(scaled(rate, seconds))))
}

/** Share of a difference that is made good in `seconds`. */
export function correction(seconds: number, timeConstant: number): number {
  return 1 - Math.exp(-seconds / timeConstant)
}

/** The nearest pose with that "down": the turn to it is about a level axis, so that it has no part in the heading. */
function levelled(pose: Quaternion, accel: Vector): Quaternion {
  const measured = downOf(accel)
  if (measured === null) return pose
  const expected = toBody(pose, DOWN)
  const turn = { w: 1 + dot(measured, expected), ...cross(measured, expected) }
  // Upside down from what was thought: all level axes are as near.
  if (turn.w < 1e-9) return multiply(pose, Math.abs(measured.x) < 0.9 ? acrossX(measured) : { w: 0, x: 0, y: 1, z: 0 })
  return normalised(multiply(pose, normalised(turn)))
}

/** Half a turn about an axis at right angles to `down` and x. */
function acrossX(down: Vector): Quaternion {
  const axis = cross(down, { x: 1, y: 0, z: 0 })
  return { w: 0, ...scaled(axis, 1 / length(axis)) }
}
