/** What has happened so far, and a way to wait for what has not: no test sleeps. */
export class Happenings<T> {
  readonly all: T[] = []
  readonly #waiting = new Set<() => void>()

  note(one: T): void {
    this.all.push(one)
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves as soon as `seen` holds for all that has happened. The test's own time limit bounds the wait. */
  until(seen: (all: readonly T[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!seen(this.all)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  count(n: number): Promise<void> {
    return this.until((all) => all.length >= n)
  }
}
