import { type Board, openBoard } from '../../publisher/board.ts'
import {
  type CalibrationFile,
  readCalibrationFile,
  writeCalibrationFile,
} from '../../publisher/calibration/calibration-file.ts'
import { calibrationFileOf } from '../../publisher/calibration/known-calibration.ts'
import { openHostMetrics } from '../../publisher/host-metrics.ts'
import { readIdentity } from '../../publisher/identity.ts'
import type { SimulatorOptions } from '../../publisher/sensors/simulator.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'

/** Where what is found out is kept, with what is there already. */
export interface OpenCalibration {
  readonly file: string
  readonly known: CalibrationFile
  save(changed: Partial<CalibrationFile>): Promise<void>
}

/** Throws `E_USAGE` where there is no place for one. */
export async function openCalibration({ settings }: Invocation): Promise<OpenCalibration> {
  const { publisher } = settings
  const file = calibrationFileOf(publisher)
  if (file === undefined)
    throw new SnowhatError('E_USAGE', 'there is no place to keep a calibration', {
      hint: 'name the directory of the outbox (--outbox-dir), or a file of its own (--calibration-file), as for the publisher',
    })
  const { simulate: simulated } = publisher
  const known = (await readCalibrationFile(file)) ?? { version: 1, simulated }
  if (known.simulated !== simulated)
    throw new SnowhatError('E_USAGE', `${file} is of a ${known.simulated ? 'simulated' : 'real'} board`, {
      hint: 'name another file with --calibration-file',
    })
  return { file, known, save: (changed) => writeCalibrationFile(file, { ...known, ...changed }) }
}

/** The board the publisher would read, uncalibrated; of a simulated one `simulation` changes something. */
export async function openOwnBoard(
  { settings, clock, log, random }: Invocation,
  simulation: Pick<SimulatorOptions, 'motion' | 'hardIron'> = {},
): Promise<Board> {
  const { hostname } = await readIdentity(settings.publisher.hostname)
  const machine = await openHostMetrics({ root: '/', throttled: undefined }, clock)
  return openBoard(settings.publisher, hostname, machine, { clock, log, random, simulation })
}
