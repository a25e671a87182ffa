import type { Clock } from '../../src/clock.ts'
import { hintOf, messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import { within } from '../../src/within.ts'
import { DARK, type Frame } from './frame.ts'
import type { LedMatrix } from './led-matrix.ts'

/** What is to be seen, and when to look again; `undefined`: when told. */
export interface Picture {
  readonly frame: Frame
  readonly againMs: number | undefined
}

/** No two frames are closer: 20 a second. One takes 17.5 ms of the bus the sensors are on (documented: 192 bytes at 100 kHz). */
const LEAST_GAP_MS = 50
/** After a failure the matrix is left alone for so long. */
const RETRY_MS = 10_000
/** A frame that is not taken by then is told as a problem; the next one still waits for it. */
const OVERDUE_MS = 5_000
/** Each step of the close. */
const CLOSE_MS = 1_000
const LEAST_WAIT_MS = 1

/**
 * Keeps the matrix at what is to be seen: writes only what differs from what is shown, one frame at a time, never too
 * many. Whatever the matrix does stays in here.
 */
export class Painter {
  readonly #matrix: LedMatrix
  readonly #look: (nowMs: number) => Picture
  readonly #clock: Clock
  readonly #log: Log
  /** `undefined` while nobody knows what the LEDs show. */
  #shown: Frame | undefined
  #writing: Promise<void> | undefined
  #notBefore = Number.NEGATIVE_INFINITY
  #cancelTimer: () => void = () => undefined
  #failing = false
  #failures = 0
  #closed = false

  constructor(matrix: LedMatrix, look: (nowMs: number) => Picture, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#matrix = matrix
    this.#look = look
    this.#clock = deps.clock
    this.#log = deps.log
  }

  /** From the first frame the matrix does not take to the next one it takes. */
  get failing(): boolean {
    return this.#failing
  }

  /** Frames it did not take. */
  get failures(): number {
    return this.#failures
  }

  /** Something may have changed. Never throws. */
  redraw(): void {
    if (this.#closed) return
    this.#cancelTimer()
    const wait = this.#draw()
    // A timer may be a little early or a sum of times not exact; what it is for is due soon after.
    if (wait !== undefined) this.#cancelTimer = this.#clock.after(Math.max(LEAST_WAIT_MS, wait), () => this.redraw())
  }

  /** Dark, and the matrix given back; bounded, whatever the matrix does. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#tried(async (late) => {
      await this.#writing
      if (!late.aborted) await this.#matrix.show(DARK)
    })
    await this.#tried(() => this.#matrix.close())
  }

  /** Gives when to draw again. */
  #draw(): number | undefined {
    const now = this.#clock.monotonic()
    try {
      const { frame, againMs } = this.#look(now)
      // The end of a write draws again.
      if (this.#writing !== undefined || this.#shown?.equals(frame)) return againMs
      const wait = this.#notBefore - now
      if (wait > 0) return Math.min(wait, againMs ?? wait)
      this.#notBefore = now + LEAST_GAP_MS
      this.#writing = this.#write(frame)
      return againMs
    } catch (error) {
      this.#failed(error)
      return RETRY_MS
    }
  }

  async #write(frame: Frame): Promise<void> {
    const cancel = this.#clock.after(OVERDUE_MS, () => this.#report('a frame is not taken'))
    try {
      await this.#matrix.show(frame)
      this.#shown = frame
      if (this.#failing) this.#log.info({ failures: this.#failures }, 'the LED matrix works again')
      this.#failing = false
    } catch (error) {
      this.#shown = undefined
      this.#failed(error)
    }
    cancel()
    this.#writing = undefined
    this.redraw()
  }

  #failed(error: unknown): void {
    this.#failures++
    this.#notBefore = this.#clock.monotonic() + RETRY_MS
    this.#report(messageOf(error), hintOf(error))
  }

  #report(reason: string, hint?: string): void {
    if (!this.#failing) this.#log.warn({ reason, hint }, 'the LED matrix does not show what it is to show')
    this.#failing = true
  }

  async #tried(act: (late: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await within(CLOSE_MS, this.#clock, act)
    } catch (error) {
      this.#log.debug({ reason: messageOf(error) }, 'the LED matrix was not left as it should be')
    }
  }
}
