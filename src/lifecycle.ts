/**
 * What was opened first is closed last; everything is closed, even when one thing fails to.
 */
export class Lifecycle {
  readonly #open: { readonly name: string; readonly close: () => unknown }[] = []
  #closing: Promise<void> | undefined

  own<T>(name: string, resource: T, close: (resource: T) => unknown): T {
    this.#open.push({ name, close: () => close(resource) })
    return resource
  }

  /** Names of what is still open, newest last. */
  get open(): string[] {
    return this.#open.map((entry) => entry.name)
  }

  /** Throws an `AggregateError` of all that failed. Later calls wait for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = []
    for (let entry = this.#open.at(-1); entry; entry = this.#open.at(-1)) {
      try {
        await entry.close()
      } catch (error) {
        errors.push(new Error(`closing ${entry.name}`, { cause: error }))
      }
      this.#open.pop()
    }
    if (errors.length > 0) throw new AggregateError(errors, 'shutdown was not clean')
  }
}
