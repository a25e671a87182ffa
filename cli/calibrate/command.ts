import { SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'
import type { Invocation } from '../command.ts'
import { runMagnetometer } from './magnetometer.ts'
import { openCalibration } from './own-board.ts'
import { runTemperature } from './temperature.ts'

const WHAT = { magnetometer: runMagnetometer, temperature: runTemperature } as const

/** `snowhat publisher calibrate …`: for a person with the board in hand. 0 when something was saved, 1 when not. */
export async function runCalibrateCommand(words: readonly string[], invocation: Invocation): Promise<number> {
  const [what = ''] = words
  const run = words.length === 1 && Object.hasOwn(WHAT, what) ? WHAT[what as keyof typeof WHAT] : undefined
  if (run === undefined)
    throw new SnowhatError('E_USAGE', `there is no snowhat publisher calibrate ${words.join(' ')}`.trimEnd(), {
      hint: didYouMean(what, Object.keys(WHAT)) ?? 'there are magnetometer and temperature',
    })
  return run(invocation, await openCalibration(invocation))
}
