import type { Refused } from './route.ts'

export interface DeadLetter {
  readonly device: string
  readonly topic: string
  readonly code: Refused['code']
  readonly reason: string
  /** The original bytes. */
  readonly payload: Buffer
  /** Epoch milliseconds. */
  readonly at: number
}

/** What could not be read, kept with its reason so that a person can look at it. Bounded: the oldest give way. */
export interface DeadLetters {
  add(letter: DeadLetter): void
  /** Newest first. */
  latest(limit: number): DeadLetter[]
  /** All there ever were. */
  readonly total: number
  readonly byCode: ReadonlyMap<DeadLetter['code'], number>
}

const KEPT_BYTES = 8 * 1024 * 1024

export class MemoryDeadLetters implements DeadLetters {
  readonly byCode = new Map<DeadLetter['code'], number>()
  total = 0
  readonly #letters: DeadLetter[] = []
  #bytes = 0

  add(letter: DeadLetter): void {
    this.total++
    this.byCode.set(letter.code, (this.byCode.get(letter.code) ?? 0) + 1)
    this.#letters.push(letter)
    this.#bytes += letter.payload.length
    while (this.#bytes > KEPT_BYTES && this.#letters.length > 1)
      this.#bytes -= this.#letters.shift()?.payload.length ?? 0
  }

  latest(limit: number): DeadLetter[] {
    return this.#letters.slice(-limit).reverse()
  }
}
