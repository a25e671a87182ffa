import { backoffMs } from '../../../src/backoff.ts'
import type { Clock } from '../../../src/clock.ts'
import { messageOf } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'
import type { BusFault } from './bus-fault.ts'

/** Two chips that fail within that time are not at fault themselves. */
const TOGETHER_MS = 1_000
const PAUSE = { firstMs: 1_000, maxMs: 60_000 } as const
/** After so long without trouble the pauses are short again. */
const FORGOTTEN_MS = 120_000

/**
 * Tells trouble of the bus from that of a chip: when two chips fail at about the same time, everything is started
 * anew, with growing pauses between.
 */
export class BusTrouble {
  readonly #startAgain: () => Promise<void>
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly random: () => number }
  readonly #failedAt = new Map<string, number>()
  #attempts = 0
  #notBefore = Number.NEGATIVE_INFINITY
  #work: Promise<void> | undefined

  constructor(
    startAgain: () => Promise<void>,
    deps: { readonly clock: Clock; readonly log: Log; readonly random: () => number },
  ) {
    this.#startAgain = startAgain
    this.#deps = deps
  }

  failed(chip: string, fault: BusFault): void {
    const now = this.#deps.clock.monotonic()
    this.#failedAt.set(chip, now)
    let together = 0
    for (const at of this.#failedAt.values()) if (now - at < TOGETHER_MS) together++
    if (together < 2 || now < this.#notBefore || this.#work !== undefined) return
    if (now - this.#notBefore > FORGOTTEN_MS) this.#attempts = 0
    this.#notBefore = now + backoffMs(this.#attempts++, PAUSE, this.#deps.random)
    this.#deps.log.warn({ reason: fault.message, hint: fault.hint }, 'the I2C bus is in trouble, it is opened anew')
    this.#work = this.#startAgain()
      .catch((error: unknown) => this.#deps.log.debug({ reason: messageOf(error) }, 'the bus could not be opened anew'))
      .finally(() => {
        this.#work = undefined
      })
  }
}
