import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, SnowhatError, systemCode } from '../../src/errors.ts'
import type { Vector } from '../sensors/rotation.ts'
import type { Affine } from './affine.ts'
import type { CalibrationFile, MagnetometerCalibration } from './calibration-schema.ts'

export type { CalibrationFile, MagnetometerCalibration, TemperatureObservation } from './calibration-schema.ts'

/** `undefined` where there is no such file. Throws `E_CONFIG_INVALID` when it cannot be read or used. */
export async function readCalibrationFile(file: string): Promise<CalibrationFile | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    // ENOTDIR: whoever opens the outbox there says what is wrong with its directory.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw invalid(file, messageOf(error), error)
  }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw invalid(file, 'it is no JSON', error)
  }
  // Loaded where there is a file: a Pi has little memory.
  const schema = (await import('./calibration-schema.ts')).CalibrationFile
  const read = schema.safeParse(document)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  const place = issue?.path.join('.') || 'the document'
  throw invalid(
    file,
    issue?.code === 'unrecognized_keys'
      ? `${place} has "${issue.keys[0]}", which is unknown`
      : `${place} ${issue?.message}`,
    read.error,
  )
}

/** Replaces the file as a whole: after a power cut it is the old one or the new one. Throws `E_FILE_UNWRITABLE`. */
export async function writeCalibrationFile(file: string, content: CalibrationFile): Promise<void> {
  const unfinished = `${file}.tmp`
  try {
    await mkdir(dirname(file), { recursive: true })
    const handle = await open(unfinished, 'w')
    try {
      await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(unfinished, file)
  } catch (error) {
    throw new SnowhatError('E_FILE_UNWRITABLE', `cannot write ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: 'may this user write there? The publisher must be able to read it',
    })
  }
}

export function affineOf({ offset: [x, y, z], matrix }: MagnetometerCalibration): Affine {
  return { offset: { x, y, z }, matrix }
}

export function tripleOf({ x, y, z }: Vector): [number, number, number] {
  return [x, y, z]
}

function invalid(file: string, reason: string, cause: unknown): SnowhatError {
  return new SnowhatError('E_CONFIG_INVALID', `${file} holds no calibration that can be used: ${reason}`, {
    cause,
    hint: 'calibrate again, or take the file away: without it the board is uncalibrated',
  })
}
