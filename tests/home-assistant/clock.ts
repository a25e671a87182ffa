/** Time as the fake needs it: for `expire_after` and for when things were. */
export interface HaClock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls `act` after `ms`, unless what it gives is called first. */
  after(ms: number, act: () => void): () => void
}

export function machineClock(): HaClock {
  return {
    now: () => Date.now(),
    after: (ms, act) => {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
  }
}
