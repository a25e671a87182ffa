/** One reading of the accelerometer, as windows need it. */
export interface Sample {
  readonly deviceId: string
  readonly sessionId: string
  /** Microseconds since 1970. */
  readonly tUs: number
  /** Length of the acceleration without gravity, m/s². */
  readonly magnitude: number
  /** Length of the acceleration with gravity, m/s²; `undefined` where gravity is not known. */
  readonly total?: number | undefined
  /** The phone sent gravity as part of the acceleration. */
  readonly gravityIncluded?: boolean
  /** Gravity was estimated, not measured: rule G-3. */
  readonly gravityEstimated?: boolean
}

/** What the phone's own classifier says. */
export interface OwnActivity {
  readonly tUs: number
  readonly activity: string
  readonly confidence: string | null
}

/** What is known about one finished window of one recording. */
export interface ActivityWindow {
  readonly deviceId: string
  readonly sessionId: string
  /** Microseconds since 1970; a sample at `startUs` is in the window, one at `endUs` is not. */
  readonly startUs: number
  readonly endUs: number
  readonly samples: number
  /** Mean length of the acceleration without gravity, m/s². */
  readonly avgMagnitude: number
  /**
   * Population standard deviation of the length of the acceleration with gravity, m/s²; `null` when fewer than half of the
   * samples have one.
   */
  readonly stdTotal: number | null
  /** Share of the window's ten seconds in which there is at least one sample. */
  readonly coverage: number
  /** The recording ended within it (rule X-2). */
  readonly partial: boolean
  readonly gravityIncluded: boolean
  readonly gravityEstimated: boolean
  /** What the phone itself said last before the window's end. */
  readonly own: Omit<OwnActivity, 'tUs'> | null
}
