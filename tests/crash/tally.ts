/** What the bridge counts since its start. */
interface Counts {
  readonly redelivered: number
  readonly channels_reopened: number
  readonly rows_replayed: number
}

const EVERY_MS = 200
const STALE = /"reason":"[^"]*(?:STALE|SEQUENCER|MUST_BE_REOPENED|not ours)[^"]*","msg":"opening the channel again"/g

/** Adds up over all its lives what the bridge says it has done again: a run in which nothing was proves nothing. */
export class Tally {
  readonly #url: string
  #timer: NodeJS.Timeout | undefined
  #last: Counts = { redelivered: 0, channels_reopened: 0, rows_replayed: 0 }
  /** Readings that came to the bridge more than once. */
  redelivered = 0
  /** Rows appended again after the channel was opened again. */
  replayed = 0

  constructor(url: string) {
    this.#url = url
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Between two looks a kill may hide some: then the tally is too low, never too high. */
  async look(): Promise<void> {
    try {
      const now = (await (
        await fetch(`${this.#url}/api/health`, { signal: AbortSignal.timeout(1_000) })
      ).json()) as Counts
      const risen = (key: keyof Counts) => (now[key] >= this.#last[key] ? now[key] - this.#last[key] : 0)
      this.redelivered += risen('redelivered')
      this.replayed += now.rows_replayed >= this.#last.rows_replayed ? risen('rows_replayed') : now.rows_replayed
      this.#last = now
    } catch {
      // It is down.
    }
  }

  /** Openings because the channel was no longer ours, in the bridge's own log. */
  staleReopens(bridgeLog: string): number {
    return bridgeLog.match(STALE)?.length ?? 0
  }

  words(bridgeLog: string): string {
    return `${this.redelivered} redelivered, ${this.replayed} replayed after k, ${this.staleReopens(bridgeLog)} stale reopens`
  }
}
