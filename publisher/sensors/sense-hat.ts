import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import { calibrated, type InertialCalibration, UNCALIBRATED } from '../calibration/inertial-calibration.ts'
import type { I2cBus } from './bus/bus.ts'
import { BusFault } from './bus/bus-fault.ts'
import { BusTrouble } from './bus/bus-trouble.ts'
import { type BusCounters, SharedBus } from './bus/shared-bus.ts'
import type { ChipDeps } from './chips/chip.ts'
import { Colour, type ColourSample } from './chips/colour.ts'
import { Hts221 } from './chips/hts221.ts'
import { IDENTITIES } from './chips/identity.ts'
import { Lps25h } from './chips/lps25h.ts'
import { Lsm9ds1Magnetic, type MagneticSample } from './chips/lsm9ds1-magnetic.ts'
import { Lsm9ds1Motion, type MotionSample } from './chips/lsm9ds1-motion.ts'
import { type ChipHealth, WatchedChip } from './chips/watched-chip.ts'
import type { InertialSample } from './inertial-sample.ts'
import { BOARD_KEYS, type SensorKey, type Sensors, type SensorValues } from './sensors.ts'

export interface SenseHatDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** Of this board; without one the inertial values are as the chips say. */
  readonly calibration?: InertialCalibration
}

/**
 * Opens a Sense HAT on a bus: finds its chips, sets them up and waits until they measure, which takes two seconds. Runs
 * with whatever is there. Rejects with `E_NO_SENSE_HAT` when no chip measures, and with what `open` rejects with.
 */
export async function openSenseHat(open: () => Promise<I2cBus>, deps: SenseHatDeps): Promise<SenseHat> {
  const hat = new SenseHat(new SharedBus(open, deps.clock), deps)
  try {
    await hat.begin()
  } catch (error) {
    await hat.close()
    throw error
  }
  return hat
}

/** A Sense HAT of either version, by its registers. */
export class SenseHat implements Sensors {
  /** What else is on the board takes its turn on it. */
  readonly bus: SharedBus
  readonly #closing = new AbortController()
  readonly #humidity: WatchedChip<{ readonly humidity: number; readonly temperature: number }>
  readonly #pressure: WatchedChip<{ readonly pressure: number; readonly temperature: number }>
  readonly #motion: WatchedChip<MotionSample>
  readonly #magnetic: WatchedChip<MagneticSample>
  readonly #colour: WatchedChip<ColourSample>
  readonly #all: readonly WatchedChip<unknown>[]
  readonly #trouble: BusTrouble
  readonly #calibration: InertialCalibration
  /** As it was at the start: what is announced to Home Assistant does not come and go. */
  #version: 'v1' | 'v2' = 'v1'

  constructor(bus: SharedBus, { clock, log, random, calibration = UNCALIBRATED }: SenseHatDeps) {
    this.bus = bus
    this.#calibration = calibration
    const { signal } = this.#closing
    this.#trouble = new BusTrouble(() => this.#startAgain(), { clock, log, random })
    const chip: ChipDeps = { bus, now: () => clock.monotonic(), pause: (ms) => clock.sleep(ms, signal) }
    const watched = (name: string) => ({
      clock,
      log,
      random,
      signal,
      onBusFault: (fault: BusFault) => this.#trouble.failed(name, fault),
    })
    this.#humidity = new WatchedChip(new Hts221(chip), watched('humidity'))
    this.#pressure = new WatchedChip(new Lps25h(chip), watched('pressure'))
    this.#motion = new WatchedChip(new Lsm9ds1Motion(chip), watched('motion'))
    this.#magnetic = new WatchedChip(new Lsm9ds1Magnetic(chip), watched('magnetic'))
    this.#colour = new WatchedChip(new Colour(chip), watched('colour'), { optional: true })
    this.#all = [this.#humidity, this.#pressure, this.#motion, this.#magnetic, this.#colour]
  }

  async begin(): Promise<void> {
    await this.#checkBus()
    await this.#beginAll()
    this.#version = this.#colour.seen ? 'v2' : 'v1'
    if (this.#all.some((chip) => chip.state === 'ok')) return
    const hint = this.#all.map((chip) => chip.hint).find((one) => one !== undefined)
    throw noSenseHat(this.problems[0] ?? 'no chip answers', hint)
  }

  /** A bus that is not there is told once, and not for each chip. */
  async #checkBus(): Promise<void> {
    const { addresses, register } = IDENTITIES.humidity
    try {
      await this.bus.ask(addresses[0], register)
    } catch (error) {
      if (!(error instanceof BusFault)) throw error
      if (error.kind === 'gone' || error.kind === 'forbidden') throw noSenseHat(error.sentence, error.hint)
    }
  }

  get keys(): readonly SensorKey[] {
    return BOARD_KEYS[this.#version]
  }

  get board(): string {
    return this.#version === 'v2' ? 'Sense HAT V2' : 'Sense HAT'
  }

  get chips(): readonly string[] {
    // The second board's barometer gives the same identity as the first one's.
    return this.#version === 'v2'
      ? ['HTS221', 'LPS25HB', 'LSM9DS1', this.#colour.name]
      : ['HTS221', 'LPS25H', 'LSM9DS1']
  }

  get problems(): readonly string[] {
    return this.#all.flatMap((chip) => chip.health.problem ?? [])
  }

  get health(): readonly ChipHealth[] {
    return this.#all.filter((chip) => chip !== this.#colour || chip.seen).map((chip) => chip.health)
  }

  get busCounters(): BusCounters {
    return this.bus.counters
  }

  /** The inertial chips alone: what a filter that follows the pose asks for many times a second. */
  async inertia(): Promise<InertialSample> {
    const [motion, magnetic] = await Promise.all([this.#motion.poll(), this.#magnetic.poll()])
    return calibrated({ motion, magnetic }, this.#calibration)
  }

  async read(): Promise<SensorValues> {
    const [air, barometer, { motion, magnetic }, light] = await Promise.all([
      this.#humidity.poll(),
      this.#pressure.poll(),
      this.inertia(),
      this.#colour.poll(),
    ])
    if ((air ?? barometer ?? motion ?? magnetic ?? light) === null)
      throw new SnowhatError('E_NO_SENSE_HAT', this.problems[0] ?? 'no chip of the Sense HAT answers', {
        retryable: true,
      })
    const { accel, gyro } = motion ?? NO_MOTION
    const field = magnetic?.field
    const counts = light?.counts
    return {
      temperature: air?.temperature ?? null,
      humidity: air?.humidity ?? null,
      pressure: barometer?.pressure ?? null,
      temperature_pressure: barometer?.temperature ?? null,
      accel_x: accel?.x ?? null,
      accel_y: accel?.y ?? null,
      accel_z: accel?.z ?? null,
      gyro_x: gyro?.x ?? null,
      gyro_y: gyro?.y ?? null,
      gyro_z: gyro?.z ?? null,
      mag_x: field?.x ?? null,
      mag_y: field?.y ?? null,
      mag_z: field?.z ?? null,
      color_red: counts?.red ?? null,
      color_green: counts?.green ?? null,
      color_blue: counts?.blue ?? null,
      color_clear: counts?.clear ?? null,
      illuminance: light?.illuminance ?? null,
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.bus.close()
  }

  async #startAgain(): Promise<void> {
    await this.bus.reset()
    if (!this.#closing.signal.aborted) await this.#beginAll()
  }

  async #beginAll(): Promise<void> {
    await Promise.all(this.#all.map((chip) => chip.begin()))
  }
}

const NO_MOTION = { accel: null, gyro: null }

function noSenseHat(reason: string, hint = '`snowhat publisher probe` shows what is on the bus'): SnowhatError {
  return new SnowhatError('E_NO_SENSE_HAT', `there is no Sense HAT that can be read: ${reason}`, {
    hint: `${hint}; --simulate publishes simulated readings`,
    retryable: true,
  })
}
