import type { Clock } from '../clock.ts'

/**
 * Each waits for its own while, milliseconds, so that a fleet does not answer at once; and at least so long that a birth which
 * is said twice in a moment is answered once.
 */
const PAUSE_MS = { least: 5_000, most: 30_000 }

export interface BirthDeps {
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Hears Home Assistant's birth message and calls `onBirth` a random while later. It has no session: what was said while it
 * was away it has never heard, so whatever is not retained must be said again [source]. Births within the pause are one.
 */
export class Birth {
  readonly #topic: string
  readonly #onBirth: () => void
  readonly #deps: BirthDeps
  #cancel: (() => void) | undefined

  constructor(topic: string, onBirth: () => void, deps: BirthDeps) {
    this.#topic = topic
    this.#onBirth = onBirth
    this.#deps = deps
  }

  /**
   * True when the message was about Home Assistant's state. Some make the broker retain it: then it is heard at each
   * connection, which has just told everything anyway.
   */
  message({ topic, payload, retain }: { topic: string; payload: Buffer; retain: boolean }): boolean {
    if (topic !== this.#topic) return false
    if (retain || payload.toString() !== 'online') return true
    const { clock, random } = this.#deps
    this.#cancel ??= clock.after(PAUSE_MS.least + (PAUSE_MS.most - PAUSE_MS.least) * random(), () => {
      this.#cancel = undefined
      this.#onBirth()
    })
    return true
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
