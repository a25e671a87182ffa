import { addTo, deviation, noMoments } from '../moments.ts'
import type { Timed } from './nearest-in-time.ts'
import type { DetectorState } from './track-state.ts'

const SPAN_US = 2_000_000
const FIRST_SAMPLES = 100
/** m/s²: so still is a phone that lies. */
const STILL = 0.3
/** m/s²: the length of gravity, and what a sensor may be off. */
const [LEAST, MOST] = [9.3, 10.3]
/**
 * m/s². Gravity points one way: where it is included, the mean vector is about as long as the mean length. Somebody running has
 * mean lengths of 10 m/s² without gravity too, and a mean vector near nothing.
 */
const LEAST_VECTOR = 5

export function newDetector(): DetectorState {
  return { found: false, begun: false, sinceUs: null, length: noMoments(), sum: { x: 0, y: 0, z: 0 } }
}

/**
 * Whether a phone sends gravity as part of its acceleration, as Android phones without a fused sensor do (rule G-1). Judged
 * are the first 2 s or 100 samples, and then every 2 s in which the phone lies still. Once found it stays.
 */
export function look(detector: DetectorState, { tUs, x, y, z }: Timed): void {
  if (detector.found) return
  const spanUs = tUs - (detector.sinceUs ?? tUs)
  if (spanUs >= SPAN_US) judge(detector)
  if (detector.found) return
  detector.sinceUs ??= tUs
  addTo(detector.length, Math.sqrt(x * x + y * y + z * z))
  detector.sum.x += x
  detector.sum.y += y
  detector.sum.z += z
  if (!detector.begun && detector.length.n >= FIRST_SAMPLES) judge(detector)
}

/** Judges what there is, and begins anew. */
export function judge(detector: DetectorState): void {
  const { length, sum, begun } = detector
  const vector = Math.hypot(sum.x, sum.y, sum.z) / length.n
  const isGravity = length.mean >= LEAST && length.mean <= MOST && vector >= LEAST_VECTOR
  detector.found = isGravity && (!begun || deviation(length) < STILL)
  detector.begun = true
  detector.sinceUs = null
  detector.length = noMoments()
  detector.sum = { x: 0, y: 0, z: 0 }
}
