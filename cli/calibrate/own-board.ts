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
import { lockOwner } from '../../src/durable-log/node-lock.ts'
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

/**
 * The board the publisher would read, uncalibrated; of a simulated one `simulation` changes something. Throws `E_RIVAL` while a
 * publisher uses the real one: both would set up the same chips.
 */
export async function openOwnBoard(
  { settings, clock, log, random }: Invocation,
  simulation: Pick<SimulatorOptions, 'motion' | 'hardIron'> = {},
): Promise<Board> {
  if (!settings.publisher.simulate) await refuseRival(settings.publisher.outbox_dir)
  const { hostname } = await readIdentity(settings.publisher.hostname)
  const machine = await openHostMetrics({ root: '/', throttled: undefined }, clock)
  return openBoard(settings.publisher, hostname, machine, { clock, log, random, simulation })
}

/** A publisher shows by the lock of its outbox; one whose outbox is in memory, or elsewhere, cannot be seen. */
async function refuseRival(outboxDir: string): Promise<void> {
  if (outboxDir === '') return
  // Where there is no directory nobody has an outbox; whoever saves something there says what is wrong with it.
  const owner = await lockOwner(outboxDir).catch(() => undefined)
  if (owner !== undefined)
    throw new SnowhatError('E_RIVAL', `a publisher is running (${owner}) and uses the same chips`, {
      hint: 'stop it first, such as by `sudo systemctl stop snowhat-publisher`, and start it again afterwards',
    })
}
