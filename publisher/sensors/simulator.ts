import type { Clock } from '../../src/clock.ts'
import { BoardHeat } from './board-heat.ts'
import { createChance } from './chance.ts'
import { Chips } from './chips.ts'
import { relativeHumidity } from './humid-air.ts'
import { Daylight } from './light.ts'
import { Motion, type MotionScenario } from './motion.ts'
import { BOARD_KEYS, type Sensors, type SensorValues } from './sensors.ts'
import { Weather } from './weather.ts'

export interface SimulatorOptions {
  readonly seed: number
  readonly board: 'v1' | 'v2'
  readonly environment: 'indoor' | 'outdoor'
  /** Metres above the sea. */
  readonly altitude_m: number
  readonly motion?: MotionScenario
  /** Off by default: as a board that was calibrated. */
  readonly hardIron?: boolean
}

export interface Simulator extends Sensors {
  /** °C of the simulated processor, which heats the simulated sensors. */
  readonly cpuTemperature: number
}

/**
 * A Sense HAT that is not there: first what the air, the board and the motion truly are, then chips with
 * noise, lasting errors and the steps of their registers. The same seed and the same clock give the same
 * readings. Time passes by the monotonic clock; the wall clock only tells the hour of the day.
 */
export function createSimulator(options: SimulatorOptions, clock: Clock): Simulator {
  const chance = createChance(options.seed)
  const chips = new Chips(chance, { hardIron: options.hardIron ?? false })
  const weather = new Weather(options, chance)
  const heat = new BoardHeat(chance)
  const motion = new Motion(options.motion ?? 'desk', chance)
  const daylight = options.board === 'v2' ? new Daylight(options.environment, chance) : undefined
  let last = clock.monotonic()

  const read = (): SensorValues => {
    const now = clock.monotonic()
    const seconds = (now - last) / 1000
    const epochMs = clock.now()
    last = now
    const air = weather.advance(seconds, epochMs)
    const warmed = heat.advance(seconds, air.temperature)
    const { accel, gyro, field } = chips.inertia(motion.advance(seconds))
    const light = daylight && chips.colour(daylight.advance(seconds, epochMs))
    return {
      temperature: chips.temperature.read(warmed),
      // The water in the air is the same at the warm sensor, so its relative humidity is lower there.
      humidity: chips.humidity.read(Math.min(99, relativeHumidity(warmed, air.dewPoint))),
      pressure: chips.pressure.read(air.pressure),
      temperature_pressure: chips.temperaturePressure.read(warmed),
      accel_x: accel.x,
      accel_y: accel.y,
      accel_z: accel.z,
      gyro_x: gyro.x,
      gyro_y: gyro.y,
      gyro_z: gyro.z,
      mag_x: field.x,
      mag_y: field.y,
      mag_z: field.z,
      color_red: light?.red ?? null,
      color_green: light?.green ?? null,
      color_blue: light?.blue ?? null,
      color_clear: light?.clear ?? null,
      illuminance: light?.illuminance ?? null,
    }
  }

  return {
    keys: BOARD_KEYS[options.board],
    board: options.board === 'v2' ? 'Sense HAT V2 (simulated)' : 'Sense HAT (simulated)',
    chips: ['HTS221', 'LPS25H', 'LSM9DS1', ...(options.board === 'v2' ? ['TCS3400'] : [])],
    get cpuTemperature() {
      return heat.cpuTemperature
    },
    read: () => Promise.resolve(read()),
  }
}
