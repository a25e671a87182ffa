import type { RefusalCode } from '../routes/route.ts'
import type { DeadLetter, DeadLetters } from './dead-letters.ts'

export const KEPT_BYTES = 8 * 1024 * 1024

/** Dead letters that are gone with the process. */
export class MemoryDeadLetters implements DeadLetters {
  readonly byCode = new Map<RefusalCode, number>()
  readonly unkept = 0
  readonly failing = false
  total = 0
  dropped = 0
  readonly #maxBytes: number
  readonly #letters: DeadLetter[] = []
  #bytes = 0

  constructor(maxBytes: number = KEPT_BYTES) {
    this.#maxBytes = maxBytes
  }

  add(letter: DeadLetter): Promise<void> {
    this.total++
    this.byCode.set(letter.code, (this.byCode.get(letter.code) ?? 0) + 1)
    this.#letters.push(letter)
    this.#bytes += letter.payload.length
    while (this.#bytes > this.#maxBytes && this.#letters.length > 1) {
      this.#bytes -= this.#letters.shift()?.payload.length ?? 0
      this.dropped++
    }
    return Promise.resolve()
  }

  recent(limit: number): DeadLetter[] {
    return this.#letters.slice(-limit).reverse()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
