import type { I2cBus } from '../../sensors/bus/bus.ts'
import { IDENTITIES } from '../../sensors/chips/identity.ts'
import { type Frame, SIDE } from '../frame.ts'
import type { LedMatrix } from '../led-matrix.ts'

const CHANNELS = 3
const ROW_BYTES = SIDE * CHANNELS

/**
 * By the upper 5 bits of a channel, what the LEDs get: the default table of the kernel driver (documented: `rpisense-fb.c`),
 * so that the picture is the same whoever draws it. The microcontroller has 64 levels; those above 31 only heat the board.
 */
const GAMMA = [
  0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 17, 18, 20, 21, 23, 25, 27, 29, 31,
]

/**
 * A frame as the microcontroller takes it: the register of the first pixel, then for each row from the top 8 levels of
 * red, 8 of green and 8 of blue (documented: firmware of `rpi-sense`). Not a byte more: it would write beyond its memory.
 */
export function attinyFrame(frame: Frame): Buffer {
  const bytes = Buffer.alloc(1 + SIDE * ROW_BYTES)
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const { r, g, b } = frame.at(x, y)
      for (const [channel, value] of [r, g, b].entries())
        bytes[1 + y * ROW_BYTES + channel * SIDE + x] = GAMMA[value >> 3] ?? 0
    }
  return bytes
}

/** The LED matrix over its microcontroller, where no kernel driver has it. The bus belongs to the board. */
export class AttinyMatrix implements LedMatrix {
  readonly via = 'i2c'
  readonly #bus: I2cBus

  constructor(bus: I2cBus) {
    this.#bus = bus
  }

  show(frame: Frame): Promise<void> {
    return this.#bus.write(IDENTITIES.panel.addresses[0], attinyFrame(frame))
  }

  async close(): Promise<void> {}
}
