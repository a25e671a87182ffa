import { type Frame, SIDE } from '../frame.ts'

/** Bytes of a frame on the framebuffer. */
export const FRAME_BYTES = SIDE * SIDE * 2

/**
 * A frame as the framebuffer takes it: 16 bits a pixel, little-endian, row by row from the top; 5 bits of red, 6 of green,
 * 5 of blue (documented: `rpisense-fb.c`). The driver keeps the upper 5 bits of green and applies its gamma table.
 */
export function rgb565(frame: Frame): Buffer {
  const bytes = Buffer.alloc(FRAME_BYTES)
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const { r, g, b } = frame.at(x, y)
      bytes.writeUInt16LE(((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3), (y * SIDE + x) * 2)
    }
  return bytes
}
