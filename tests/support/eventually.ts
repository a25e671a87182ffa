/** How often is looked. */
const EVERY_MS = 50
/**
 * A deadline here only ends what hangs; how fast something is, `bench/` says. On a machine that others use as well a program may
 * take many times as long to start: `SNOWHAT_TEST_PATIENCE` stretches all deadlines.
 */
const PATIENCE = Number(process.env.SNOWHAT_TEST_PATIENCE ?? 1)

/** A bound on how long something takes that is looked at, where the machine may be slow. */
export function patient(ms: number): number {
  return ms * PATIENCE
}

/**
 * Looks until `look` gives something, and gives that. A `look` that throws has not seen it yet; the deadline's
 * error says what was waited for and how the last look ended.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 20_000,
): Promise<T> {
  const bound = patient(deadlineMs)
  const until = performance.now() + bound
  for (;;) {
    let last: unknown = 'it was not so'
    try {
      const seen = await look()
      if (seen !== undefined && seen !== false) return seen
    } catch (error) {
      last = error
    }
    if (performance.now() >= until)
      throw new Error(`not within ${bound} ms: ${what} (${last instanceof Error ? last.message : last})`, {
        cause: last,
      })
    // Between two looks; the deadline bounds the whole.
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}

/** The promise, or an error that says what did not happen in time. */
export async function within<T>(deadlineMs: number, what: string, promise: Promise<T>): Promise<T> {
  const bound = patient(deadlineMs)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${bound} ms: ${what}`)), bound)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
