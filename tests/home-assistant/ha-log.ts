/**
 * Home Assistant's levels, and `FAKE` for what real Home Assistant can do and the fake cannot: a test that meets it must
 * not pass.
 */
export type HaLogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'FAKE'

export interface HaLogLine {
  readonly level: HaLogLevel
  /** Begins as Home Assistant's own; the rest differs between its versions. */
  readonly message: string
  /** Epoch milliseconds. */
  readonly at: number
}

export class HaLog {
  readonly lines: HaLogLine[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  write(level: HaLogLevel, message: string): void {
    this.lines.push({ level, message, at: this.#now() })
  }

  /** What a user would find in the log and not like. */
  problems(): readonly HaLogLine[] {
    return this.lines.filter(({ level }) => level === 'WARNING' || level === 'ERROR' || level === 'FAKE')
  }
}
