/** 10 requests a second are allowed per channel [documented]; a little less. */
const SPACING_MS = 110
/** However often we are told that it was too fast. */
const LONGEST_MS = 10_000
/** Of the spacing, what each append that is taken leaves. */
const RECOVERY = 0.8

/** How long a channel waits between two appends: longer each time it is throttled, and back by and by. */
export class AppendPace {
  #spacingMs = SPACING_MS

  get spacingMs(): number {
    return this.#spacingMs
  }

  throttled(): void {
    this.#spacingMs = Math.min(2 * this.#spacingMs, LONGEST_MS)
  }

  taken(): void {
    this.#spacingMs = Math.max(SPACING_MS, RECOVERY * this.#spacingMs)
  }
}
