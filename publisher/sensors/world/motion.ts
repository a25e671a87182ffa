import { DEGREE, fromEuler, type Quaternion, ratesBetween, toBody, type Vector } from '../rotation.ts'
import type { Chance } from './chance.ts'
import { lagged, Wander } from './wander.ts'

/**
 * still: on a shelf · desk: on a desk that is knocked now and then · handheld: in a hand ·
 * turntable: turned clockwise, seen from above, at a constant rate · tumbling: turned through all orientations, as for a calibration
 */
export type MotionScenario = 'still' | 'desk' | 'handheld' | 'turntable' | 'tumbling'

/** What an inertial unit without errors would measure. */
export interface Inertia {
  /** g, direction of gravity: +1 on z when flat. */
  readonly accel: Vector
  /** rad/s. */
  readonly gyro: Vector
  /** µT. */
  readonly field: Vector
}

/** Earth's field of Central Europe: 49 µT, 65° down. */
const FIELD_UT = { x: 49 * Math.cos(65 * DEGREE), y: 0, z: 49 * Math.sin(65 * DEGREE) }
/** Degrees and seconds by which roll and pitch wander where the board lies, and in a hand. */
const LYING = { deviation: 0.02, memorySeconds: 600 }
const HELD = { deviation: 10, memorySeconds: 3 }
/** No hand moves at once: seconds by which the board lags behind where it is wanted. */
const SWAY_S = 0.2
const TURNTABLE_RAD_S = 6 * DEGREE
/** Rolled over and over while it is pitched up and down: rad/s, rad, and seconds of a whole sweep. */
const TUMBLE = { roll: 60 * DEGREE, pitch: 85 * DEGREE, sweepSeconds: 40 }
/** A knock on the desk: mean seconds between two, seconds it lasts, g and rad/s of its swing, swings per second. */
const KNOCK = { every: 600, lasts: 2, accel: 0.05, gyro: 5 * DEGREE, hertz: 4 }

export class Motion {
  /** May change: the board is picked up, and put down again as it lay. */
  scenario: MotionScenario
  readonly #chance: Chance
  readonly #lying: Tilt
  readonly #held: Tilt
  #roll: number
  #pitch: number
  #yaw: number
  #pose: Quaternion
  #tumbled = 0
  #sinceKnock = Number.POSITIVE_INFINITY

  constructor(scenario: MotionScenario, chance: Chance) {
    this.scenario = scenario
    this.#chance = chance
    this.#lying = tilt(LYING, chance)
    this.#held = tilt(HELD, chance)
    const at = this.#tilt
    this.#roll = at.roll.value
    this.#pitch = at.pitch.value
    this.#yaw = 2 * Math.PI * chance.uniform()
    this.#pose = fromEuler(this.#roll, this.#pitch, this.#yaw)
  }

  advance(seconds: number): Inertia {
    const before = this.#pose
    if (this.scenario === 'turntable') this.#yaw = (this.#yaw + TURNTABLE_RAD_S * seconds) % (2 * Math.PI)
    if (this.scenario === 'tumbling') this.#tumble(seconds)
    else this.#sway(seconds)
    this.#pose = fromEuler(this.#roll, this.#pitch, this.#yaw)
    const turn = seconds > 0 ? ratesBetween(before, this.#pose, seconds) : { x: 0, y: 0, z: 0 }
    const gravity = toBody(this.#pose, { x: 0, y: 0, z: 1 })
    const swing = this.#knock(seconds)
    return {
      accel: { ...gravity, z: gravity.z - KNOCK.accel * swing },
      gyro: { ...turn, y: turn.y + KNOCK.gyro * swing },
      field: toBody(this.#pose, FIELD_UT),
    }
  }

  #sway(seconds: number): void {
    const at = this.#tilt
    this.#roll = lagged(this.#roll, at.roll.advance(seconds), seconds, SWAY_S)
    this.#pitch = lagged(this.#pitch, at.pitch.advance(seconds), seconds, SWAY_S)
  }

  #tumble(seconds: number): void {
    this.#tumbled += seconds
    this.#roll = (this.#roll + TUMBLE.roll * seconds) % (2 * Math.PI)
    this.#pitch = TUMBLE.pitch * Math.sin((2 * Math.PI * this.#tumbled) / TUMBLE.sweepSeconds)
  }

  get #tilt(): Tilt {
    return this.scenario === 'handheld' ? this.#held : this.#lying
  }

  /** −1 to 1: where the swing of the last knock is, dying away. */
  #knock(seconds: number): number {
    if (this.scenario !== 'desk') return 0
    this.#sinceKnock += seconds
    if (this.#chance.uniform() < 1 - Math.exp(-seconds / KNOCK.every)) this.#sinceKnock = this.#chance.uniform() * 0.25
    if (this.#sinceKnock > KNOCK.lasts) return 0
    return Math.cos(2 * Math.PI * KNOCK.hertz * this.#sinceKnock) * (1 - this.#sinceKnock / KNOCK.lasts)
  }
}

interface Tilt {
  readonly roll: Wander
  readonly pitch: Wander
}

function tilt({ deviation, memorySeconds }: typeof LYING, chance: Chance): Tilt {
  const wander = () => new Wander(0, deviation * DEGREE, memorySeconds, chance)
  return { roll: wander(), pitch: wander() }
}
