/** Random numbers that a seed repeats (mulberry32). */
export interface Numbers {
  /** In [0, 1). */
  next(): number
  between(least: number, most: number): number
  chance(probability: number): boolean
  /** One of them, each as likely as its weight. */
  pick<T extends string>(weights: Readonly<Record<T, number>>): T
  /** Another sequence, as if from a seed of its own. */
  fork(): Numbers
}

export function numbersOf(seed: number): Numbers {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    between: (least, most) => least + (most - least) * next(),
    chance: (probability) => next() < probability,
    pick: (weights) => {
      const entries = Object.entries<number>(weights)
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [name, weight] of entries) {
        left -= weight
        if (left < 0) return name as keyof typeof weights
      }
      return entries.at(-1)?.[0] as keyof typeof weights
    },
    fork: () => numbersOf(Math.floor(next() * 4_294_967_296)),
  }
}

/** Of this run, for all its files; vitest.config.ts takes one from the time. `SNOWHAT_CRASH_SEED` repeats one that was printed. */
export const SEED = Number(process.env.SNOWHAT_CRASH_SEED)
