import type { Classification } from '../classify/classifier.ts'
import type { ActivityWindow } from '../windows/sample.ts'
import { windowId } from '../windows/window-id.ts'

/**
 * A finished window as it is published and stored: the first system's six fields, then ours. Keys are the columns of
 * `USER_ACTIVITY_PROCESSED`.
 */
export interface ActivityRecord {
  /** The window's end, `YYYY-MM-DD HH:MM:SS` UTC. */
  readonly timestamp: string
  readonly sessionId: string
  readonly deviceId: string
  readonly activity: string
  readonly confidence: number | null
  /** m/s², without gravity. */
  readonly avg_magnitude: number
  /** The same however often the window is worked out. */
  readonly window_id: string
  /** ISO 8601 UTC. */
  readonly window_start: string
  readonly window_end: string
  readonly n_samples: number
  readonly coverage: number
  readonly partial: boolean
  readonly features: Readonly<Record<string, unknown>>
  readonly model_version: string
  /** Doubts, separated by commas; `null` when there are none. */
  readonly quality: string | null
  readonly phone_activity: string | null
  readonly phone_activity_confidence: string | null
}

export function activityRecord(window: ActivityWindow, classified: Classification): ActivityRecord {
  const { deviceId, sessionId, startUs, endUs, own } = window
  const end = isoOf(endUs)
  return {
    timestamp: end.slice(0, 19).replace('T', ' '),
    sessionId,
    deviceId,
    activity: classified.activity,
    confidence: classified.confidence,
    avg_magnitude: window.avgMagnitude,
    window_id: windowId(deviceId, sessionId, endUs),
    window_start: isoOf(startUs),
    window_end: end,
    n_samples: window.samples,
    coverage: window.coverage,
    partial: window.partial,
    features: {
      std_total: window.stdTotal,
      gravity_included: window.gravityIncluded,
      probabilities: classified.probabilities,
    },
    model_version: classified.modelVersion,
    quality: classified.doubts.length === 0 ? null : classified.doubts.join(','),
    phone_activity: own?.activity ?? null,
    phone_activity_confidence: own?.confidence ?? null,
  }
}

function isoOf(us: number): string {
  return new Date(us / 1000).toISOString()
}
