/** For what repeats: acts at the first time and at each doubling, so that a log tells of it and is not filled by it. */
export class Doubling {
  #times = 0

  get times(): number {
    return this.#times
  }

  /** Counts one more, and acts when it is the 1st, 2nd, 4th, 8th, … */
  when(act: (times: number) => void): void {
    this.#times++
    if (Number.isInteger(Math.log2(this.#times))) act(this.#times)
  }

  reset(): void {
    this.#times = 0
  }
}
