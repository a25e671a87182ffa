import type { Clock } from '../../src/clock.ts'
import type { InertialSample } from '../sensors/inertial-sample.ts'
import { type MagnetometerProgress, MagnetometerSession } from './magnetometer-session.ts'

export interface CalibrationDeps {
  readonly clock: Clock
  /** Aborted by who does not want any more: it ends at once, with what it has. */
  readonly signal: AbortSignal
}

/** Every measurement of the chip, which makes 20 a second. */
const SAMPLE_EVERY_MS = 50
const TELL_EVERY_SAMPLES = 10
/** Who has not turned the board through enough by then has put it down. */
const PATIENCE_MS = 5 * 60_000

/** Until enough was seen, five minutes have passed, or the signal is aborted. `inertia` as the chips say, uncalibrated. */
export async function calibrateMagnetometer(
  inertia: () => Promise<InertialSample>,
  tell: (progress: MagnetometerProgress) => void,
  { clock, signal }: CalibrationDeps,
): Promise<MagnetometerProgress> {
  const session = new MagnetometerSession()
  const began = clock.monotonic()
  let progress = session.progress()
  for (let sample = 1; !signal.aborted && clock.monotonic() - began < PATIENCE_MS; sample++) {
    const { motion, magnetic } = await inertia()
    if (magnetic?.field) session.add(magnetic.field, motion?.accel ?? null)
    if (sample % TELL_EVERY_SAMPLES === 0) {
      progress = session.progress()
      tell(progress)
      if (progress.complete) break
    }
    await clock.sleep(SAMPLE_EVERY_MS, signal).catch(() => undefined)
  }
  return progress
}
