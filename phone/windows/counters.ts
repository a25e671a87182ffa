/** What happened in the windows since the start, snapshots included. */
export interface WindowCounters {
  samples: number
  /** Pairs of sample and window: the window was done when the sample came (rule L-3 counts rows, this counts pairs). */
  late_pairs: number
  /** Samples that were late for at least one of their windows. */
  late_samples: number
  /** Samples ahead of their receipt by more than the guard (rule X-3). */
  future_events: number
  /** Samples whose time or magnitude is no number (rules W-6, T9). */
  unusable: number
  windows: number
  /** Phones, recordings and windows finished early because there were too many (rule X-4). */
  evicted_devices: number
  evicted_recordings: number
  evicted_windows: number
  /** Windows not given because too many of one recording were finished at once. */
  dropped_windows: number
}

export function noCounters(): WindowCounters {
  return {
    samples: 0,
    late_pairs: 0,
    late_samples: 0,
    future_events: 0,
    unusable: 0,
    windows: 0,
    evicted_devices: 0,
    evicted_recordings: 0,
    evicted_windows: 0,
    dropped_windows: 0,
  }
}
