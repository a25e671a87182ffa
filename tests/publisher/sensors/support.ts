import { SharedBus } from '../../../publisher/sensors/bus/shared-bus.ts'
import type { Chip, ChipDeps } from '../../../publisher/sensors/chips/chip.ts'
import type { SensorKey } from '../../../publisher/sensors/sensors.ts'
import type { SimulatedDevice } from '../../../publisher/sensors/simulated-bus/device.ts'
import type { ScenarioChip } from '../../../publisher/sensors/simulated-bus/scenario-file.ts'
import { SimulatedBoard } from '../../../publisher/sensors/simulated-bus/simulated-board.ts'
import { BusState, SimulatedBus } from '../../../publisher/sensors/simulated-bus/simulated-bus.ts'
import type { SimulatedColourOptions } from '../../../publisher/sensors/simulated-bus/simulated-colour.ts'
import type { Chance } from '../../../publisher/sensors/world/chance.ts'
import type { Truth } from '../../../publisher/sensors/world/world.ts'
import type { Clock } from '../../../src/clock.ts'
import { systemClock } from '../../../src/clock.ts'
import { LeapClock } from '../../support/leap-clock.ts'

/** A room in which nothing moves. */
export const ROOM: Truth = {
  temperature: 22,
  humidity: 45,
  pressure: 1000,
  inertia: { accel: { x: 0, y: 0, z: 1 }, gyro: { x: 0, y: 0, z: 0 }, field: { x: 20, y: 0, z: 40 } },
  light: { illuminance: 300, kelvin: 4000 },
}

/** What each chip measures, and its place in `health`. */
export const KEYS: Record<ScenarioChip, readonly SensorKey[]> = {
  humidity: ['temperature', 'humidity'],
  pressure: ['pressure', 'temperature_pressure'],
  motion: ['accel_x', 'accel_y', 'accel_z', 'gyro_x', 'gyro_y', 'gyro_z'],
  magnetic: ['mag_x', 'mag_y', 'mag_z'],
  colour: ['color_red', 'color_green', 'color_blue', 'color_clear', 'illuminance'],
}

/** No noise and no lasting error. */
export const NO_CHANCE: Chance = { uniform: () => 0.5, normal: () => 0 }

/** The chips of a board in a room, noise and all. */
export function chipsOf(
  options: { clock?: Clock; truth?: () => Truth; colour?: SimulatedColourOptions } = {},
): SimulatedBoard {
  const { clock = systemClock(), truth = () => ROOM, colour } = options
  return new SimulatedBoard({ seed: 1, truth, now: () => clock.monotonic(), ...(colour && { colour }) })
}

/** One driver over one simulated chip, started. `tell` changes the truth and lets the chip measure it. */
export async function driven<S>(
  device: (truth: () => Truth, chance: Chance, now: () => number) => SimulatedDevice,
  driver: (deps: ChipDeps) => Chip<S>,
): Promise<{ device: SimulatedDevice; chip: Chip<S>; clock: LeapClock; tell: (truth: Partial<Truth>) => void }> {
  const clock = new LeapClock()
  const now = () => clock.monotonic()
  let truth = ROOM
  const simulated = device(() => truth, NO_CHANCE, now)
  const bus = new SharedBus(async () => new SimulatedBus([simulated], new BusState(), NO_CHANCE), clock)
  const chip = driver({ bus, now, pause: (ms) => clock.sleep(ms) })
  await chip.find()
  await chip.start()
  return {
    device: simulated,
    chip,
    clock,
    tell: (changed) => {
      truth = { ...truth, ...changed }
      clock.leap(2_000)
    },
  }
}
