import type { Clock } from '../../src/clock.ts'
import type { StopSignal } from '../../src/stop.ts'
import type { Answer } from '../snowpipe/answer.ts'
import type { PipePath } from '../snowpipe/client.ts'

/** Who calls what. */
export interface Call {
  readonly device: string
  readonly pipe: PipePath
  readonly operation: 'open' | 'append'
}

interface Waiter {
  readonly call: Call
  readonly go: () => void
}

/**
 * One refusal that many meet: those who wait for its end, and those of them who look. Mostly that is one; another looks as well when
 * the first has had no clear answer for as long as between two looks.
 */
export class Roadblock {
  readonly answer: Answer
  readonly #clock: Clock
  readonly #lookEveryMs: number
  /** Who has waited longest comes first. */
  readonly #waiting = new Set<Waiter>()
  /** Who was refused here. */
  readonly #refused = new Set<string>()
  /** What is looked with: an append to a pipe that is gone may be answered with 200 [observed], an open is not. */
  #operation: Call['operation'] | undefined
  /** Who may pass, and was not refused since. */
  readonly #lookers = new Set<string>()
  /** Nobody has been there to look when it was time. */
  #isDue = false
  /** Until the next look. */
  #cancel: (() => void) | undefined

  constructor(answer: Answer, lookEveryMs: number, clock: Clock) {
    this.answer = answer
    this.#lookEveryMs = lookEveryMs
    this.#clock = clock
  }

  isLookedAtBy(device: string): boolean {
    return this.#lookers.has(device)
  }

  refused({ device, operation }: Call): void {
    this.#refused.add(device)
    if (operation === 'open') this.#operation ??= operation
    this.#lookers.delete(device)
    this.#isDue = false
    this.#cancel ??= this.#clock.after(this.#lookEveryMs, () => this.#due())
  }

  /** Until it is over or it is this caller's turn to look; or until `signal` says that it does not matter any more. */
  async wait(call: Call, signal: StopSignal): Promise<void> {
    if (signal.aborted || this.#lookers.has(call.device)) return
    await new Promise<void>((resolve) => {
      const waiter = {
        call,
        go: () => {
          signal.removeEventListener('abort', left)
          resolve()
        },
      }
      const left = () => {
        this.#waiting.delete(waiter)
        resolve()
      }
      signal.addEventListener('abort', left, { once: true })
      this.#waiting.add(waiter)
      if (this.#isDue) this.#due()
    })
  }

  /** It neither looks nor is waited for any more. */
  left(device: string): void {
    this.#refused.delete(device)
    if (this.#lookers.delete(device) && this.#lookers.size === 0) this.#due()
  }

  /** All go on. Gives who was refused. */
  over(): Iterable<string> {
    this.#cancel?.()
    for (const { go } of this.#waiting) go()
    this.#waiting.clear()
    return this.#refused
  }

  #due(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const next = this.#next()
    this.#isDue = next === undefined
    if (next === undefined) return
    this.#cancel = this.#clock.after(this.#lookEveryMs, () => this.#due())
    this.#waiting.delete(next)
    this.#lookers.add(next.call.device)
    next.go()
  }

  /**
   * Who looks has a call of the kind that was refused, if anybody has; and was not refused itself, if anybody was not: it may have
   * been about one device only. Of those, the one who has waited longest.
   */
  #next(): Waiter | undefined {
    let best: { readonly waiter: Waiter; readonly worth: number } | undefined
    for (const waiter of this.#waiting) {
      const { device, operation } = waiter.call
      const isAlike = this.#operation === undefined || this.#operation === operation
      const worth = (isAlike ? 2 : 0) + (this.#refused.has(device) ? 0 : 1)
      if (best === undefined || worth > best.worth) best = { waiter, worth }
      if (best.worth === 3) break
    }
    return best?.waiter
  }
}
