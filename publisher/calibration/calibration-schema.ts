import { z } from 'zod'
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

export const CalibrationFile = z.strictObject({
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
