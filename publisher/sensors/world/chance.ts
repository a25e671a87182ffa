/**
 * Reproducible chance for the simulator: the same seed draws the same numbers on every machine. Nothing
 * here may be used for identifiers or secrets.
 */
export interface Chance {
  /** Uniform in [0, 1). */
  uniform(): number
  /** Normal with mean 0 and the standard deviation given. */
  normal(deviation?: number): number
}

/** Numbers from sfc32 (Chris Doty-Humphrey's "small fast counter", 128 bits of state), normals by Box and Muller. */
export function createChance(seed: number): Chance {
  const next = sfc32(seed)
  let spare: number | undefined
  const standardNormal = () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()))
    const angle = 2 * Math.PI * next()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return { uniform: next, normal: (deviation = 1) => deviation * standardNormal() }
}

/** A 32-bit seed from a name: FNV-1a by Fowler, Noll and Vo. */
export function seedFrom(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

function sfc32(seed: number): () => number {
  let a = seed | 0
  let b = Math.floor(seed / 2 ** 32) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  const step = () => {
    const result = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + result
    c |= 0
    return (result >>> 0) / 2 ** 32
  }
  // Seeds that differ in one bit start alike; after a dozen steps they no longer do.
  for (let i = 0; i < 16; i++) step()
  return step
}
