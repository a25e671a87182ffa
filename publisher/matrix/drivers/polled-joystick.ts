import type { Clock } from '../../../src/clock.ts'
import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'
import type { Direction, Joystick, StickEvent } from '../joystick.ts'
import type { StickInput } from './input-event.ts'

/** Where a joystick is read. */
export interface StickSource {
  readonly via: Joystick['via']
  /** What happened since the last call; does not wait for anything to happen. Rejects when it cannot be known; the next call tries anew. */
  read(): Promise<readonly StickInput[]>
  close(): Promise<void>
}

/** 20 times a second: nobody presses for less (recommended for this board), and a Pi does not notice. */
const POLL_MS = 50
/** After a failure it is left alone for so long. */
const RETRY_MS = 10_000

/**
 * A joystick that is asked again and again, from the first listener on. When it cannot be read, or something was missed,
 * what was pressed counts as released: nothing stays pressed for ever because a board was taken off.
 */
export class PolledJoystick implements Joystick {
  readonly #source: StickSource
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners = new Set<(event: StickEvent) => void>()
  readonly #pressed = new Set<Direction>()
  #problem: string | undefined
  #closed = false
  #polling: Promise<void> | undefined
  #cancelTimer: () => void = () => undefined

  constructor(source: StickSource, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#source = source
    this.#clock = deps.clock
    this.#log = deps.log
  }

  get via(): Joystick['via'] {
    return this.#source.via
  }

  get problem(): string | undefined {
    return this.#problem
  }

  onEvent(listener: (event: StickEvent) => void): void {
    this.#listeners.add(listener)
    if (this.#polling === undefined) this.#poll()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#polling
    await this.#source.close()
  }

  #poll(): void {
    this.#polling = this.#read().then((againMs) => {
      if (!this.#closed) this.#cancelTimer = this.#clock.after(againMs, () => this.#poll())
    })
  }

  /** Gives when to read again; never rejects. */
  async #read(): Promise<number> {
    try {
      const inputs = await this.#source.read()
      if (this.#problem !== undefined) this.#log.info('the joystick can be read again')
      this.#problem = undefined
      for (const input of inputs) this.#take(input)
      return POLL_MS
    } catch (error) {
      const reason = messageOf(error)
      if (this.#problem === undefined) this.#log.warn({ reason, hint: hintOf(error) }, 'the joystick cannot be read')
      this.#problem = `the joystick cannot be read: ${reason}`
      this.#take('dropped')
      return RETRY_MS
    }
  }

  #take(input: StickInput): void {
    if (input === 'dropped') {
      for (const direction of [...this.#pressed]) this.#take({ direction, action: 'released' })
      return
    }
    if (input.action === 'released') this.#pressed.delete(input.direction)
    else this.#pressed.add(input.direction)
    for (const listener of this.#listeners) listener(input)
  }
}
