import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, SnowhatError, systemCode } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { PublisherSettings } from '../config.ts'
import { affineOf, type CalibrationFile, readCalibrationFile } from './calibration-file.ts'
import { type InertialCalibration, UNCALIBRATED } from './inertial-calibration.ts'
import { readRtimulibIni } from './rtimulib-ini.ts'
import { type FittedFactor, fittedFactor } from './temperature-fit.ts'

/** What is known of this board from files. */
export interface KnownCalibration {
  readonly inertial: InertialCalibration
  /** How much of the processor's heat reaches the sensor; `undefined` when nobody has measured it. */
  readonly heat: FittedFactor | undefined
}

export interface CalibrationPlaces {
  /** Of the user, where python-sense-hat keeps its file. Throws where the user has none, as some services do. */
  readonly home: () => string
  /** Directory that stands for `/`. */
  readonly root: string
}

type Settings = Pick<PublisherSettings, 'simulate' | 'outbox_dir' | 'calibration_file' | 'rtimulib_ini'>

const FILE = 'calibration.json'
/** Value of `rtimulib_ini` for whoever wants none. */
const NONE = 'none'

/** Where the product's own calibration is kept; `undefined` where there is no place for it. */
export function calibrationFileOf({ calibration_file, outbox_dir }: Settings): string | undefined {
  if (calibration_file !== '') return calibration_file
  return outbox_dir === '' ? undefined : join(outbox_dir, FILE)
}

/**
 * What is measured with `snowhat publisher calibrate` comes before what an `RTIMULib.ini` says, sensor by sensor. Throws
 * `E_CONFIG_INVALID` when a file that was asked for cannot be used; one that just lies around is passed over, and said so.
 */
export async function knownCalibration(
  settings: Settings,
  places: CalibrationPlaces,
  log: Log,
): Promise<KnownCalibration> {
  const imported = await importedCalibration(settings, places, log)
  const own = await ownCalibration(settings, log)
  const field = own?.magnetometer === undefined ? imported.field : affineOf(own.magnetometer)
  return { inertial: { ...imported, field }, heat: fittedFactor(own?.temperature ?? []) }
}

async function ownCalibration(settings: Settings, log: Log): Promise<CalibrationFile | undefined> {
  const file = calibrationFileOf(settings)
  const own = file === undefined ? undefined : await readCalibrationFile(file)
  if (own === undefined || own.simulated === settings.simulate) {
    if (own !== undefined) log.info({ file }, 'the board is calibrated')
    return own
  }
  log.warn(
    { file },
    `the calibration is of a ${own.simulated ? 'simulated' : 'real'} board, this one is not: it is not used`,
  )
  return undefined
}

async function importedCalibration(
  { rtimulib_ini, simulate }: Settings,
  { home, root }: CalibrationPlaces,
  log: Log,
): Promise<InertialCalibration> {
  if (rtimulib_ini === NONE) return UNCALIBRATED
  if (rtimulib_ini !== '') return importFrom(rtimulib_ini, log)
  // What lies around on a machine is of its own board.
  if (simulate) return UNCALIBRATED
  for (const usual of [() => join(home(), '.config/sense_hat/RTIMULib.ini'), () => join(root, 'etc/RTIMULib.ini')]) {
    try {
      return await importFrom(usual(), log)
    } catch (error) {
      if (systemCode(error instanceof SnowhatError ? error.cause : error) === 'ENOENT') continue
      log.warn({ reason: messageOf(error) }, 'an RTIMULib.ini that was found is not used')
    }
  }
  return UNCALIBRATED
}

async function importFrom(file: string, log: Log): Promise<InertialCalibration> {
  try {
    const calibration = readRtimulibIni(await readFile(file, 'utf8'))
    const { field, accel, mounting } = calibration
    const found = { magnetometer: field !== null, accelerometer: accel !== null, mounting: mounting !== null }
    log.info({ file, ...found }, "RTIMULib's calibration was read")
    return calibration
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `${file} cannot be used: ${messageOf(error)}`, {
      cause: error,
      hint: 'publisher.rtimulib_ini names another file, or is "none"',
    })
  }
}
