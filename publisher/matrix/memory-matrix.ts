import { DARK, type Frame } from './frame.ts'
import type { LedMatrix } from './led-matrix.ts'

/** A matrix nobody sees: that of the simulated board. It remembers what it showed. */
export class MemoryMatrix implements LedMatrix {
  readonly via = 'simulated'
  readonly #keep: number
  #frames: Frame[] = []
  #count = 0

  /** `keep`: how many of the latest frames it remembers. */
  constructor(keep = 100) {
    this.#keep = keep
  }

  /** What it shows now. */
  get shown(): Frame {
    return this.#frames.at(-1) ?? DARK
  }

  /** The latest frames, oldest first. */
  get frames(): readonly Frame[] {
    return this.#frames
  }

  /** How many frames it was given in all. */
  get count(): number {
    return this.#count
  }

  async show(frame: Frame): Promise<void> {
    this.#count++
    this.#frames = [...this.#frames, frame].slice(-this.#keep)
  }

  async close(): Promise<void> {}
}
