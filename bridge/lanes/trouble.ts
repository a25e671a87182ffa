import type { Log } from '../../src/log.ts'

/**
 * Tells of refusals that hit every lane alike (a key, a grant, a pipe) once and then at each doubling, not once
 * per device and minute; and tells when they are over.
 */
export class Trouble {
  readonly #log: Log
  readonly #told = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  /** The codes that hold rows back now. */
  get codes(): string[] {
    return [...this.#told.keys()]
  }

  tell(code: string, reason: string, hint: string): void {
    const times = (this.#told.get(code) ?? 0) + 1
    this.#told.set(code, times)
    if (Number.isInteger(Math.log2(times)))
      this.#log.error({ code, reason, times, hint }, 'Snowflake refuses us; rows wait in the spool')
  }

  over(): void {
    if (this.#told.size === 0) return
    this.#told.clear()
    this.#log.info('Snowflake takes rows again')
  }
}
