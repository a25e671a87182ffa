/** Numbers in [0, 1), the same for the same seed and subject (mulberry32). */
export function chance(seed: number, subject: string): () => number {
  let state = hash(subject, seed)
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** FNV-1a. */
function hash(subject: string, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0
  for (const byte of Buffer.from(subject)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value
}
