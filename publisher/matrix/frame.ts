import { BLACK, type Rgb } from './colour.ts'
import { onPicture, type Rotation } from './quarter-turn.ts'

/** Pixels on each side of the matrix. */
export const SIDE = 8

const CHANNELS = 3
const INDEXES = Array.from({ length: SIDE }, (_, index) => index)

/** A picture of 8 × 8 pixels, x from the left and y from the top; never changes. */
export class Frame {
  readonly #channels: Uint8ClampedArray

  private constructor(channels: Uint8ClampedArray) {
    this.#channels = channels
  }

  /** Asks for each pixel once. Channels are rounded and kept within 0..255. */
  static of(colourAt: (x: number, y: number) => Rgb): Frame {
    const channels = INDEXES.flatMap((y) =>
      INDEXES.flatMap((x) => {
        const { r, g, b } = colourAt(x, y)
        return [r, g, b]
      }),
    )
    return new Frame(Uint8ClampedArray.from(channels))
  }

  /** Black outside of the picture. */
  at(x: number, y: number): Rgb {
    if (x < 0 || x >= SIDE || y < 0 || y >= SIDE) return BLACK
    const [r = 0, g = 0, b = 0] = this.#channels.subarray((y * SIDE + x) * CHANNELS)
    return { r, g, b }
  }

  equals(other: Frame): boolean {
    return this.#channels.every((value, index) => value === other.#channels[index])
  }

  /** This picture turned clockwise. */
  turned(rotation: Rotation): Frame {
    if (rotation === 0) return this
    // Twice the distance from the centre, so that it is a whole number.
    const middle = SIDE - 1
    return Frame.of((x, y) => {
      const from = onPicture({ x: 2 * x - middle, y: 2 * y - middle }, rotation)
      return this.at((from.x + middle) / 2, (from.y + middle) / 2)
    })
  }
}

export const DARK = Frame.of(() => BLACK)
