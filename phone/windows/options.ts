/** How windows are closed. */
export interface WindowOptions {
  /** Whether each phone has a watermark of its own, or one phone's clock can close another's windows (rules B-4, X-1). */
  readonly watermark: 'device' | 'global'
  /**
   * Which watermark makes a sample late (rule L-2): that of the batch before, as in Spark since 3.4, or that in force, as in
   * Spark up to 3.3.
   */
  readonly lateAfter: 'previous' | 'current'
  /** How late data may come, ms. */
  readonly delayMs: number
  /** A sample this far ahead of its receipt does not move the watermark (rule X-3); `null` trusts all. ms. */
  readonly futureMs: number | null
  /** Beyond so many phones the one not heard from for longest is finished (rule X-4); `null`: no bound. */
  readonly maxDevices: number | null
  /** Beyond so many open windows of one phone its oldest are finished (rule X-4); `null`: no bound. */
  readonly maxWindows: number | null
  /** Beyond so many recordings of one phone the one not heard from for longest is finished; `null`: no bound. */
  readonly maxRecordings: number | null
  /** Of windows of one recording that are finished at once so many are given, the last; `null`: all. */
  readonly maxFinished: number | null
}

export const DEFAULT_WINDOWS: WindowOptions = {
  watermark: 'device',
  lateAfter: 'previous',
  delayMs: 10_000,
  futureMs: 60_000,
  maxDevices: 1_000,
  maxWindows: 64,
  maxRecordings: 8,
  maxFinished: 4_096,
}

/** As Spark Structured Streaming does it: one watermark for all, no guard, no bounds. */
export function sparkWindows(version: '>=3.4' | '<=3.3'): WindowOptions {
  return {
    watermark: 'global',
    lateAfter: version === '>=3.4' ? 'previous' : 'current',
    delayMs: 10_000,
    futureMs: null,
    maxDevices: null,
    maxWindows: null,
    maxRecordings: null,
    maxFinished: null,
  }
}
