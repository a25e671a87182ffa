/**
 * How far event time has come (rules B-1 to B-3): the largest event time of all batches before, rounded down to milliseconds,
 * less the delay that late data is granted. It never goes back and stands still during a batch.
 */
export interface Watermark {
  /** In force in the batch before, µs. */
  previousUs: number
  /** In force in this batch, µs. */
  currentUs: number
}

/** Before anything has come it is 1970. */
export function newWatermark(): Watermark {
  return { previousUs: 0, currentUs: 0 }
}

/** After a batch; `largestUs` is `undefined` when nothing in it counts. */
export function advance(watermark: Watermark, largestUs: number | undefined, delayMs: number): void {
  watermark.previousUs = watermark.currentUs
  if (largestUs === undefined) return
  const reached = (Math.floor(largestUs / 1000) - delayMs) * 1000
  watermark.currentUs = Math.max(watermark.currentUs, reached)
}
