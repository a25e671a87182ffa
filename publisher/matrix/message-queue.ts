import type { Rgb } from './colour.ts'
import type { Frame } from './frame.ts'
import { scrollFrame, scrollSteps, type TextStrip } from './text-strip.ts'

/** More do not wait: by then nobody expects the first one. */
const WAITING_AT_MOST = 5

/** A moment of a scrolling message. */
export interface ScrollMoment {
  /** Until it moves on. */
  readonly againMs: number
  draw(colour: Rgb): Frame
}

/** Messages scroll by one after the other, each from its beginning to its end. */
export class MessageQueue {
  readonly #columnMs: number
  #scrolling: { readonly strip: TextStrip; readonly since: number } | undefined
  readonly #waiting: TextStrip[] = []
  #dropped = 0

  /** `rate`: columns a second. */
  constructor(rate: number) {
    this.#columnMs = 1000 / rate
  }

  /** Messages that were given up for newer ones. */
  get dropped(): number {
    return this.#dropped
  }

  /** False when the oldest one that waits had to be given up for it. */
  add(strip: TextStrip): boolean {
    this.#waiting.push(strip)
    if (this.#waiting.length <= WAITING_AT_MOST) return true
    this.#waiting.shift()
    this.#dropped++
    return false
  }

  /** Something else has the matrix: the message under way begins again when it comes back. */
  interrupt(): void {
    if (this.#scrolling === undefined) return
    this.#waiting.unshift(this.#scrolling.strip)
    this.#scrolling = undefined
  }

  /** What scrolls now, begun by being asked for; `undefined` when there is none. Times are monotonic. */
  at(nowMs: number): ScrollMoment | undefined {
    if (this.#scrolling !== undefined && this.#step(this.#scrolling.since, nowMs) >= scrollSteps(this.#scrolling.strip))
      this.#scrolling = undefined
    if (this.#scrolling === undefined) {
      const strip = this.#waiting.shift()
      if (strip === undefined) return undefined
      this.#scrolling = { strip, since: nowMs }
    }
    const { strip, since } = this.#scrolling
    const step = this.#step(since, nowMs)
    return {
      againMs: since + (step + 1) * this.#columnMs - nowMs,
      draw: (colour) => scrollFrame(strip, step, colour),
    }
  }

  #step(since: number, nowMs: number): number {
    return Math.floor((nowMs - since) / this.#columnMs)
  }
}
