import type { Clock } from '../../src/clock.ts'
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

/** One refusal that many meet: those who wait for its end, and the one of them who looks. */
export class Roadblock {
  readonly answer: Answer
  readonly #clock: Clock
  readonly #lookEveryMs: number
  #waiting: Waiter[] = []
  /** Who was refused here. */
  readonly #refused = new Set<string>()
  /** What is looked with: an append to a pipe that is gone may be answered with 200 [observed], an open is not. */
  #operation: Call['operation'] | undefined
  #looker: string | undefined
  /** Nobody has been there to look when it was time. */
  #isDue = false
  #cancel: (() => void) | undefined

  constructor(answer: Answer, lookEveryMs: number, clock: Clock) {
    this.answer = answer
    this.#lookEveryMs = lookEveryMs
    this.#clock = clock
  }

  isLookedAtBy(device: string): boolean {
    return this.#looker === device
  }

  refused({ device, operation }: Call): void {
    this.#refused.add(device)
    if (operation === 'open') this.#operation ??= operation
    if (this.#looker === device) this.#looker = undefined
    if (this.#looker === undefined && !this.#isDue)
      this.#cancel ??= this.#clock.after(this.#lookEveryMs, () => this.#due())
  }

  /** Until it is over or it is this caller's turn to look; or until `signal` says that it does not matter any more. */
  async wait(call: Call, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#looker === call.device) return
    await new Promise<void>((resolve) => {
      const waiter = {
        call,
        go: () => {
          signal.removeEventListener('abort', left)
          resolve()
        },
      }
      const left = () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiter)
        resolve()
      }
      signal.addEventListener('abort', left, { once: true })
      this.#waiting.push(waiter)
      if (this.#isDue) this.#due()
    })
  }

  left(device: string): void {
    if (this.#looker !== device) return
    this.#looker = undefined
    this.#due()
  }

  /** All go on. Gives who was refused. */
  over(): Iterable<string> {
    this.#cancel?.()
    for (const { go } of this.#waiting.splice(0)) go()
    return this.#refused
  }

  /**
   * Who looks has a call of the kind that was refused, if anybody has; and was not refused itself, if anybody was not: it may have
   * been about one device only. Of those, the one who has waited longest.
   */
  #due(): void {
    this.#cancel = undefined
    const alike = this.#waiting.filter(({ call }) => (this.#operation ?? call.operation) === call.operation)
    const able = alike.length > 0 ? alike : this.#waiting
    const next = able.find(({ call }) => !this.#refused.has(call.device)) ?? able[0]
    this.#isDue = next === undefined
    if (next === undefined) return
    this.#waiting = this.#waiting.filter((one) => one !== next)
    this.#looker = next.call.device
    next.go()
  }
}
