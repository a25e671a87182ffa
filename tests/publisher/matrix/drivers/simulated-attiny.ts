import type { SimulatedDevice } from '../../../../publisher/sensors/simulated-bus/device.ts'

const PIXEL_BYTES = 192
const KEYS = 0xf2

/** The board's microcontroller, by the source of its firmware. */
export class SimulatedAttiny implements SimulatedDevice {
  readonly name = 'ATtiny88'
  readonly address = 0x46
  frozen = false
  /** Bits of what is pressed. */
  keys = 0
  /** Rows of 8 red, 8 green and 8 blue levels; at power-up a rainbow, here one colour. */
  readonly pixels = Buffer.alloc(PIXEL_BYTES)
  /** Bytes written beyond the pixels: the firmware does not refuse the first of them. */
  strayed = 0

  constructor() {
    this.powerUp()
  }

  powerUp(): void {
    this.pixels.fill(7)
  }

  read(command: number, into: Buffer): void {
    for (let i = 0; i < into.length; i++) {
      // Only the pointer to pixels moves.
      const register = command < PIXEL_BYTES ? command + i : command
      into[i] =
        register === 0xf0
          ? 0x73
          : register === 0xf1
            ? 0
            : register === KEYS
              ? this.keys
              : (this.pixels[register] ?? 0xff)
    }
  }

  write(command: number, value: number): void {
    if (command < PIXEL_BYTES) this.pixels[command] = value
    else this.strayed++
  }

  /** Red, green and blue levels of a pixel. */
  at(x: number, y: number): number[] {
    return [0, 8, 16].map((channel) => this.pixels[y * 24 + channel + x] ?? -1)
  }
}
