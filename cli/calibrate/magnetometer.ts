import { calibrateMagnetometer } from '../../publisher/calibration/calibrate-magnetometer.ts'
import { tripleOf } from '../../publisher/calibration/calibration-file.ts'
import type { EllipsoidFit } from '../../publisher/calibration/ellipsoid-fit.ts'
import type { MagnetometerProgress } from '../../publisher/calibration/magnetometer-session.ts'
import { length } from '../../publisher/sensors/rotation.ts'
import type { Invocation } from '../command.ts'
import { type OpenCalibration, openOwnBoard } from './own-board.ts'
import { progressLine } from './progress-line.ts'

const WHAT_TO_DO = `Turn the board slowly through all orientations, each side once to the ground, as if you washed the
inside of a ball with it. Away from magnets, loudspeakers and steel; with its case, cables and
whatever else stays at it. Stop the publisher before. Ctrl-C leaves everything as it was.
`

/** `snowhat publisher calibrate magnetometer`. */
export async function runMagnetometer(invocation: Invocation, calibration: OpenCalibration): Promise<number> {
  const { clock, stop, print, output } = invocation
  // A simulated board turns by itself, and has something to be calibrated.
  const { inertia, sensors } = await openOwnBoard(invocation, { motion: 'tumbling', hardIron: true })
  const line = progressLine(output, () => clock.monotonic())
  print(WHAT_TO_DO)
  let seen: MagnetometerProgress
  try {
    seen = await calibrateMagnetometer(inertia, (progress) => line.show(describe(progress)), { clock, signal: stop })
  } finally {
    line.end()
    await sensors.close()
  }
  const { fit, complete, quality, points } = seen
  if (!complete || fit === undefined || quality === 'poor') {
    print(stop.aborted ? 'Aborted: nothing was changed.' : `Not saved: ${failureOf(seen)}`)
    return 1
  }
  await calibration.save({
    magnetometer: {
      offset: tripleOf(fit.affine.offset),
      matrix: fit.affine.matrix.map((row) => [...row]) as [Triple, Triple, Triple],
      strength: fit.radius,
      residual: fit.residual,
      points,
      taken_at: new Date(clock.now()).toISOString(),
    },
  })
  print(`${verdictOf(quality, fit)}\nSaved in ${calibration.file}; the publisher uses it from its next start on.`)
  return 0
}

type Triple = [number, number, number]

function describe({ coverage, points, fit, next }: MagnetometerProgress): string {
  const residual = fit === undefined ? 'no sphere yet' : `residual ${percent(fit.residual, 1)}`
  const todo = next === null ? 'go on a little' : `turn ${next.side} ${next.way}`
  return `coverage ${percent(coverage)}  points ${points}  ${residual}  ${todo}`
}

function verdictOf(quality: 'good' | 'fair', { residual, radius, affine }: EllipsoidFit): string {
  const means =
    quality === 'good' ? 'headings within about 2°' : 'headings within about 5°; again, away from steel, may be better'
  return `Quality: ${quality} (${means}). Residual ${percent(residual, 1)}, field ${radius.toFixed(1)} µT, hard iron ${length(affine.offset).toFixed(1)} µT.`
}

function failureOf({ points, coverage, fit }: MagnetometerProgress): string {
  if (points === 0) return 'the magnetometer does not answer, or the board was not moved.'
  if (fit === undefined) return 'the board was not turned through enough orientations.'
  if (fit.residual > 0.05)
    return `the residual is ${percent(fit.residual, 1)}, more than 5 %: something magnetic moved, or is too near.`
  return `only ${percent(coverage)} of the directions were seen, or the field, ${fit.radius.toFixed(0)} µT, is not the earth's.`
}

function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`
}
