import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { Snowpipe } from '../snowpipe/client.ts'
import type { Lane } from './lane.ts'

/** Names per request; the service's limit is not known, clients use 100 to 200 [observed]. */
const NAMES_PER_REQUEST = 200

export interface StatusPollerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly snowpipe: Snowpipe
  /** Lanes with rows that Snowflake has and has not committed. */
  readonly waiting: () => Iterable<Lane>
}

/** Asks each pipe what it has committed: one request for all its channels, and none when nothing waits. */
export class StatusPoller {
  readonly #deps: StatusPollerDeps
  readonly #intervalMs: number
  readonly #stop = new AbortController()
  readonly #polling: Promise<void>
  #failures = 0

  constructor(intervalMs: number, deps: StatusPollerDeps) {
    this.#deps = deps
    this.#intervalMs = intervalMs
    this.#polling = this.#poll()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#polling
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#deps.clock.sleep(this.#intervalMs, signal).catch(() => undefined)
      if (!signal.aborted) await this.#ask()
    }
  }

  async #ask(): Promise<void> {
    const byPipe = new Map<string, Lane[]>()
    for (const lane of this.#deps.waiting()) {
      const lanes = byPipe.get(lane.path.pipe)
      if (lanes === undefined) byPipe.set(lane.path.pipe, [lane])
      else lanes.push(lane)
    }
    await Promise.all(
      [...byPipe].flatMap(([pipe, lanes]) =>
        chunks(lanes, NAMES_PER_REQUEST).map((chunk) => this.#askPipe(pipe, chunk)),
      ),
    )
  }

  async #askPipe(pipe: string, lanes: readonly Lane[]): Promise<void> {
    const generations = lanes.map((lane) => lane.generation)
    const outcome = await this.#deps.snowpipe.status(
      pipe,
      lanes.map((lane) => lane.path.channel),
    )
    if (this.#stop.signal.aborted) return
    if (outcome.verdict !== 'ok') {
      this.#failures++
      if (Number.isInteger(Math.log2(this.#failures)))
        this.#deps.log.warn(
          { pipe, code: outcome.answer.code, reason: outcome.answer.message },
          'cannot ask what is committed',
        )
      return
    }
    this.#failures = 0
    for (const [index, lane] of lanes.entries()) {
      const generation = generations[index] ?? -1
      const status = outcome.value.get(lane.path.channel)
      if (status === undefined) lane.vanished(generation)
      else lane.observe(status, generation)
    }
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = []
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size))
  return result
}
