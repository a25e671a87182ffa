/** Those who wait for a condition; `look` is called whenever it may have come true. */
export class Waiters {
  readonly #waiting = new Set<() => void>()

  /** Resolves when `done`, or when the signal aborts. */
  until(done: () => boolean, signal?: AbortSignal): Promise<void> {
    if (done() || signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(check)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const check = () => {
        if (done()) end()
      }
      this.#waiting.add(check)
      signal?.addEventListener('abort', end, { once: true })
    })
  }

  look(): void {
    for (const check of [...this.#waiting]) check()
  }
}
