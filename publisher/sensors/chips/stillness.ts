import { ChipFault } from './chip.ts'

/** The noise of a living chip is several counts on each axis: so many equal samples in a row do not happen. */
const FROZEN_AFTER = 10

/** Watches some bytes of one sample after another for a chip that repeats itself. */
export class Stillness {
  readonly #last: Buffer
  #times = 0

  constructor(bytes: number) {
    this.#last = Buffer.alloc(bytes)
  }

  /** Throws a `ChipFault` when the bytes at `offset` are the same for the tenth time. */
  check(block: Buffer, offset: number): void {
    const end = offset + this.#last.length
    if (this.#times > 0 && block.compare(this.#last, 0, this.#last.length, offset, end) === 0) {
      if (++this.#times >= FROZEN_AFTER) throw new ChipFault('frozen', 'repeats the same measurement')
      return
    }
    block.copy(this.#last, 0, offset, end)
    this.#times = 1
  }

  forget(): void {
    this.#times = 0
  }
}
