import type { Frame } from './frame.ts'

/**
 * An LED matrix of 8 × 8. Frames come in the coordinates of the board: the HDMI edge at the bottom, the USB end to the
 * right. Channels are 0..255 and not linear: the panel's own gamma comes after.
 */
export interface LedMatrix {
  /** How it is driven. */
  readonly via: 'framebuffer' | 'i2c' | 'simulated'
  /** Rejects when the matrix did not take it. No second call before the first has settled. */
  show(frame: Frame): Promise<void>
  /** Gives back what it holds; the LEDs keep what they show. */
  close(): Promise<void>
}
