import { createClassifier } from '../../../phone/classify/classifier.ts'
import { readParameters } from '../../../phone/classify/parameters.ts'
import type { ActivityWindow, Sample } from '../../../phone/windows/sample.ts'

/** 2023-11-14T22:13:20Z, a window's start. */
export const T0_US = 1_700_000_000_000_000
export const RECEIVED_MS = T0_US / 1000 + 60_000

/** A sample of phone A or B, `at` seconds after `T0_US`. */
export function at(phone: string, seconds: number, magnitude: number): Sample {
  return { deviceId: phone, sessionId: `recording of ${phone}`, tUs: T0_US + Math.round(seconds * 1e6), magnitude }
}

/** Two phones with a recording each; the clock of B is fast in batch 5. */
export const BATCHES: readonly (readonly Sample[])[] = [
  [at('A', 1, 1), at('A', 5, 3), at('A', 9, 2)],
  [at('A', 12, 7), at('B', 11, 11)],
  [at('A', 14.2, 9)],
  [at('A', 3.9, 5), at('A', 16, 11)],
  [at('A', 2.5, 9), at('B', 30, 20)],
  [at('A', 17, 3)],
  [at('A', 18, 3)],
]

const classify = createClassifier(await readParameters(), { classifier: 'thresholds', judgesThin: true })

/** `A [0,10) 4 n5 walking`; the average to nine digits. */
export function told(window: ActivityWindow): string {
  const [start, end] = [window.startUs, window.endUs].map((us) => (us - T0_US) / 1e6)
  const average = Number(window.avgMagnitude.toPrecision(9))
  return `${window.deviceId} [${start},${end}) ${average} n${window.samples} ${classify(window).activity}`
}

/** As `told`, in an order of its own: that within a batch says nothing (rule E-7). */
export function allTold(windows: readonly ActivityWindow[]): string[] {
  return [...windows].sort((a, b) => a.deviceId.localeCompare(b.deviceId) || a.endUs - b.endUs).map(told)
}
