import type { I2cBus } from '../../sensors/bus/bus.ts'
import { IDENTITIES } from '../../sensors/chips/identity.ts'
import type { Direction } from '../joystick.ts'
import type { StickInput } from './input-event.ts'
import type { StickSource } from './polled-joystick.ts'

const KEYS = 0xf2
/** By their bit in that register (documented: firmware of `rpi-sense`). */
const BITS: readonly Direction[] = ['down', 'right', 'up', 'middle', 'left']
/** The highest bit comes wrong on controllers that mistake a stretched clock (documented: `rpisense-js.c` drops it too). */
const CERTAIN = 0x7f
const DEFINED = 2 ** BITS.length - 1
/** Pressed for so long a key begins to repeat in Linux (documented: `REP_DELAY` of `input.c`). */
const HELD_AFTER_MS = 250

/**
 * The joystick over its microcontroller, where no kernel driver has it. The register says what is pressed now: what comes
 * and goes between two reads is not seen. The bus belongs to the board.
 */
export class AttinyStick implements StickSource {
  readonly via = 'i2c'
  readonly #bus: I2cBus
  readonly #now: () => number
  readonly #pressedAt = new Map<Direction, number>()

  /** `now`: milliseconds that only rise. */
  constructor(bus: I2cBus, now: () => number) {
    this.#bus = bus
    this.#now = now
  }

  async read(): Promise<readonly StickInput[]> {
    const keys = (await this.#keys()) & CERTAIN
    // Bits without a meaning: noise, and the others are not to be believed either.
    if ((keys & ~DEFINED) !== 0) return []
    return BITS.flatMap((direction, bit) => this.#seen(direction, (keys & (1 << bit)) !== 0) ?? [])
  }

  async close(): Promise<void> {}

  async #keys(): Promise<number> {
    try {
      return await this.#bus.readByte(IDENTITIES.panel.addresses[0], KEYS)
    } catch (error) {
      // What is still pressed afterwards is pressed anew.
      this.#pressedAt.clear()
      throw error
    }
  }

  #seen(direction: Direction, isPressed: boolean): StickInput | undefined {
    const since = this.#pressedAt.get(direction)
    if (!isPressed) return this.#pressedAt.delete(direction) ? { direction, action: 'released' } : undefined
    if (since !== undefined) return this.#now() - since >= HELD_AFTER_MS ? { direction, action: 'held' } : undefined
    this.#pressedAt.set(direction, this.#now())
    return { direction, action: 'pressed' }
  }
}
