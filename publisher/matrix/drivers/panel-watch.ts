import type { Clock } from '../../../src/clock.ts'
import { messageOf } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'
import type { PanelVia } from '../../panel.ts'

const LOOK_EVERY_MS = 60_000
const PARTS = ['leds', 'joystick'] as const

/**
 * Notices that the matrix or the joystick can be reached in another way than the one in use: its kernel driver was loaded after
 * the publisher, as at boot, or the board was put on. What only went away is not told: who uses it tries again by itself.
 */
export class PanelWatch {
  readonly #look: () => Promise<PanelVia>
  readonly #used: PanelVia
  readonly #onOther: () => void
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  /** Seen at the last look: what is seen once may be a bad contact. */
  #other: string | undefined
  #closed = false
  #looking: Promise<void> = Promise.resolve()
  #cancelTimer: () => void = () => undefined

  /** `onOther` is called once, after which nobody looks any more. */
  constructor(
    look: () => Promise<PanelVia>,
    used: PanelVia,
    onOther: () => void,
    deps: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#look = look
    this.#used = used
    this.#onOther = onOther
    this.#deps = deps
    this.#wait()
  }

  /** Resolves when the look at work has ended. */
  close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    return this.#looking
  }

  #wait(): void {
    if (this.#closed) return
    this.#cancelTimer = this.#deps.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#lookOnce().catch((error: unknown) => {
        this.#deps.log.debug({ reason: messageOf(error) }, 'nobody knows how LEDs and joystick can be reached')
        this.#wait()
      })
    })
  }

  async #lookOnce(): Promise<void> {
    const now = await this.#look()
    if (this.#closed) return
    const others = PARTS.filter((part) => now[part] !== null && now[part] !== this.#used[part])
    const other = others.length === 0 ? undefined : others.map((part) => `${part}: ${now[part]}`).join(', ')
    if (other === undefined || other !== this.#other) {
      this.#other = other
      return this.#wait()
    }
    this.#deps.log.info({ used: this.#used, now }, 'LEDs or joystick can be reached in another way')
    this.#onOther()
  }
}
