import type { Log } from '../../src/log.ts'

/**
 * Tells of what hits every lane alike (Snowflake out of reach, a key, a grant, a pipe) once and then at each
 * doubling, not once per device and attempt; and tells when it is over.
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

  /** A person must act: names, grants, credentials. */
  refused(code: string, reason: string, hint: string): void {
    this.#tell(code, (times) =>
      this.#log.error({ code, reason, times, hint }, 'Snowflake refuses us; rows wait in the spool'),
    )
  }

  /** It will pass: no answer, throttling, a server's hiccup. */
  unavailable(code: string, reason: string): void {
    this.#tell(code, (times) =>
      this.#log.warn({ code, reason, times }, 'Snowflake cannot take rows now; they wait in the spool'),
    )
  }

  #tell(code: string, write: (times: number) => void): void {
    const times = (this.#told.get(code) ?? 0) + 1
    this.#told.set(code, times)
    if (Number.isInteger(Math.log2(times))) write(times)
  }

  over(): void {
    if (this.#told.size === 0) return
    this.#told.clear()
    this.#log.info('Snowflake takes rows again')
  }
}
