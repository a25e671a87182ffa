import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { InertialCalibration } from '../calibration/inertial-calibration.ts'
import type { InertialSample } from './inertial-sample.ts'
import { openSenseHat } from './sense-hat.ts'
import type { Sensors } from './sensors.ts'
import { HeadStart } from './simulated-bus/head-start.ts'
import { Playing } from './simulated-bus/scenario.ts'
import type { ScenarioEvent } from './simulated-bus/scenario-file.ts'
import { SimulatedBoard } from './simulated-bus/simulated-board.ts'
import { createChance } from './world/chance.ts'
import type { MotionScenario } from './world/motion.ts'
import { type Truth, World } from './world/world.ts'

export interface SimulatorOptions {
  readonly seed: number
  readonly board: 'v1' | 'v2'
  readonly environment: 'indoor' | 'outdoor'
  /** Metres above the sea. */
  readonly altitude_m: number
  readonly motion?: MotionScenario
  /** Magnetism of the board itself; off by default: as if it had been taken away. */
  readonly hardIron?: boolean
  /** What happens, by the time since the simulator was opened. */
  readonly events?: readonly ScenarioEvent[]
}

export interface Simulator extends Sensors {
  /** °C of the simulated processor, which heats the simulated sensors. */
  readonly cpuTemperature: number
  inertia(): Promise<InertialSample>
  /** What the chips are measuring, for those who judge them. */
  truth(): Truth
}

/** The world, the chips in it, and the scenario that happens to both. */
export function simulateBoard(options: SimulatorOptions, clock: Clock) {
  const { seed, environment, altitude_m, board, motion = 'desk', hardIron = false, events = [] } = options
  const now = () => clock.monotonic()
  const world = new World({ seed, environment, altitude_m, motion }, clock)
  const chips: SimulatedBoard = new SimulatedBoard({
    seed,
    now,
    truth: () => world.now(),
    ...(board === 'v2' && { colour: { part: 'TCS34725' as const } }),
    hardIron,
    onTransfer: () => playing.advance(),
  })
  const playing = new Playing(events, { world, state: chips.state, devices: chips.devices }, now)
  return { world, chips, playing }
}

/** A board that was switched on this long ago has all its chips settled. */
const SETTLED_MS = 5_000

/**
 * A Sense HAT that is not there: what the air, the motion and the light truly are, then chips with noise, lasting
 * errors and registers, and then the drivers of the real board. The same seed and the same clock give the same readings.
 */
export async function openSimulator(
  options: SimulatorOptions,
  deps: { readonly clock: Clock; readonly log: Log; readonly calibration?: InertialCalibration },
): Promise<Simulator> {
  const clock = new HeadStart(deps.clock, SETTLED_MS)
  const { world, chips, playing } = simulateBoard(options, clock)
  const random = createChance(options.seed).uniform
  const hat = await openSenseHat(() => chips.open(), { ...deps, clock, random })
  clock.catchUp()
  playing.begin()
  return {
    keys: hat.keys,
    board: `${hat.board} (simulated)`,
    chips: hat.chips,
    get problems() {
      return hat.problems
    },
    get health() {
      return hat.health
    },
    get cpuTemperature() {
      return world.cpuTemperature
    },
    truth: () => world.now(),
    read: () => hat.read(),
    inertia: () => hat.inertia(),
    close: () => hat.close(),
  }
}
