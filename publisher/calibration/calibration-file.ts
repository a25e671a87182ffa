import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { messageOf, SnowhatError, systemCode } from '../../src/errors.ts'
import type { Vector } from '../sensors/rotation.ts'
import type { Affine } from './affine.ts'
import { determinant } from './matrix3.ts'

const number = z.number({ error: 'must be a number' })
const triple = z.tuple([number, number, number], { error: 'must be three numbers' })
const moment = z.string({ error: 'must be a time' })

const Magnetometer = z.strictObject({
  /** µT, in the axes of the board before any mounting. */
  offset: triple,
  matrix: z
    .tuple([triple, triple, triple], { error: 'must be three rows of three numbers' })
    .refine((matrix) => determinant(matrix) > 0, { error: 'squeezes the field flat, or mirrors it' }),
  /** Of the calibrated field, µT. */
  strength: number,
  /** Root mean square distance from the sphere, as a share of the strength. */
  residual: number,
  points: number,
  taken_at: moment,
})

const Observation = z.strictObject({
  /** °C: of the thermometer beside the Pi, of the HTS221 and of the processor. */
  reference: number,
  sensor: number,
  cpu: number,
  taken_at: moment,
})

const CalibrationFile = z.strictObject({
  version: z.literal(1, { error: 'is not 1: another version of snowhat wrote it' }),
  /** It is of the simulator's board, and of no real one. */
  simulated: z.boolean({ error: 'must be true or false' }),
  magnetometer: Magnetometer.exactOptional(),
  temperature: z.array(Observation, { error: 'must be a list of observations' }).exactOptional(),
})

export type MagnetometerCalibration = z.output<typeof Magnetometer>
export type TemperatureObservation = z.output<typeof Observation>
/** What `snowhat publisher calibrate` has found out about one board, as it is on disk. */
export type CalibrationFile = z.output<typeof CalibrationFile>

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
  const read = CalibrationFile.safeParse(document)
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
