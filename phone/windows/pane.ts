import { addTo, deviation, type Moments, mergeInto, noMoments } from '../moments.ts'
import type { ActivityWindow, Sample } from './sample.ts'
import { SLIDE_US, WINDOW_US } from './window-times.ts'

const SECOND_US = 1_000_000
const SECONDS_PER_PANE = SLIDE_US / SECOND_US

/**
 * What lies between two window starts. Every window is five of them, so that a sample is counted once instead of five times.
 */
export interface Pane {
  readonly startUs: number
  samples: number
  sumMagnitude: number
  readonly total: Moments
  /** Bit i: there is a sample in second i. */
  seconds: number
  gravityIncluded: boolean
  gravityEstimated: boolean
}

export function emptyPane(startUs: number): Pane {
  return {
    startUs,
    samples: 0,
    sumMagnitude: 0,
    total: noMoments(),
    seconds: 0,
    gravityIncluded: false,
    gravityEstimated: false,
  }
}

export function addSample(pane: Pane, sample: Sample): void {
  pane.samples++
  pane.sumMagnitude += sample.magnitude
  if (sample.total !== undefined) addTo(pane.total, sample.total)
  pane.seconds |= 1 << Math.floor((sample.tUs - pane.startUs) / SECOND_US)
  if (sample.gravityIncluded === true) pane.gravityIncluded = true
  if (sample.gravityEstimated === true) pane.gravityEstimated = true
}

/** The features of the window that ends at `endUs`, of its panes; there is at least one (rule W-8). */
export function featuresOf(
  panes: readonly Pane[],
  endUs: number,
): Omit<ActivityWindow, 'deviceId' | 'sessionId' | 'partial' | 'own'> {
  const total = noMoments()
  let samples = 0
  let sum = 0
  let seconds = 0
  for (const pane of panes) {
    samples += pane.samples
    sum += pane.sumMagnitude
    mergeInto(total, pane.total)
    for (let bit = 0; bit < SECONDS_PER_PANE; bit++) seconds += (pane.seconds >> bit) & 1
  }
  return {
    startUs: endUs - WINDOW_US,
    endUs,
    samples,
    avgMagnitude: sum / samples,
    stdTotal: total.n * 2 >= samples ? deviation(total) : null,
    coverage: seconds / (WINDOW_US / SECOND_US),
    gravityIncluded: panes.some((pane) => pane.gravityIncluded),
    gravityEstimated: panes.some((pane) => pane.gravityEstimated),
  }
}
