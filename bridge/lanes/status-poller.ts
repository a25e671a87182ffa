import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { codeOf } from '../snowpipe/answer.ts'
import type { Outcome, PipePath, Snowpipe } from '../snowpipe/client.ts'
import { remedyFor } from '../snowpipe/remedy.ts'
import { concernOf } from '../snowpipe/verdict.ts'
import type { Lane } from './lane.ts'
import type { Trouble } from './trouble.ts'

/** Names per request; the service's limit is not known, clients use 100 to 200 [observed]. */
const NAMES_PER_REQUEST = 200

type Failure = Exclude<Outcome<unknown>, { verdict: 'ok' }>

export interface StatusPollerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly snowpipe: Snowpipe
  readonly lanes: () => Iterable<AskedLane>
  readonly trouble: Trouble
  /** The pipe is served elsewhere since then (monotonic). */
  readonly onMoved: (pipe: PipePath, since: number) => void
  /** The pipe is gone, or not to be used: told once, when it begins. */
  readonly onRefused: (pipe: PipePath, reason: string) => void
}

/** What is asked of a lane, and told to it. */
export type AskedLane = Pick<Lane, 'path' | 'awaitsCommit' | 'idle' | 'generation' | 'observe' | 'vanished'>

/** How often an idle channel is asked for. It may have become another's without any append failing [observed]. */
const IDLE_EVERY_MS = 45_000
/** Requests for idle lanes are not always full. */
const ROUND_SLACK = 1.5

/**
 * Asks each pipe what it has committed: one request for all its channels. Channels on which nothing waits are asked for
 * now and then, a few with each request.
 */
export class StatusPoller {
  readonly #deps: StatusPollerDeps
  readonly #intervalMs: number
  readonly #stop = new AbortController()
  readonly #polling: Promise<void>
  /** By the one object that stands for a pipe. */
  readonly #asking = new Map<PipePath, Promise<unknown>>()
  /** Pipes that could not be asked last, and when each is asked again, monotonic. */
  readonly #failing = new Map<PipePath, { readonly until: number; readonly isRefused: boolean }>()
  readonly #refusedRetryMs: number
  #idleEveryMs = IDLE_EVERY_MS
  /** When a lane was asked for last, on the monotonic clock. */
  readonly #askedAt = new WeakMap<AskedLane, number>()

  constructor(intervalMs: number, refusedRetryMs: number, deps: StatusPollerDeps) {
    this.#deps = deps
    this.#intervalMs = intervalMs
    this.#refusedRetryMs = refusedRetryMs
    this.#polling = this.#poll()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#polling
    await Promise.all(this.#asking.values())
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#deps.clock.sleep(this.#intervalMs, signal).catch(() => undefined)
      if (!signal.aborted) this.#ask()
    }
  }

  /** A pipe that does not answer holds up no other: each is asked again when it has answered. */
  #ask(): void {
    for (const [pipe, lanes] of this.#due()) {
      const asking = Promise.all(chunks(lanes, NAMES_PER_REQUEST).map((chunk) => this.#askPipe(pipe, chunk)))
      this.#asking.set(
        pipe,
        asking.finally(() => this.#asking.delete(pipe)),
      )
    }
  }

  /**
   * By pipe: all lanes that wait for a commit; and of the idle ones at most one request's worth, all of one pipe, so that a
   * large fleet is asked for bit by bit.
   */
  #due(): Map<PipePath, AskedLane[]> {
    const now = this.#deps.clock.monotonic()
    const byPipe = new Map<PipePath, AskedLane[]>()
    const idle: AskedLane[] = []
    let idleLanes = 0
    const inUse = new Set<PipePath>()
    for (const lane of this.#deps.lanes()) {
      const { pipe } = lane.path
      if (lane.awaitsCommit || lane.idle) inUse.add(pipe)
      if (this.#asking.has(pipe) || now < (this.#failing.get(pipe)?.until ?? 0)) continue
      if (lane.awaitsCommit) {
        this.#askedAt.set(lane, now)
        add(byPipe, pipe, lane)
      } else if (lane.idle) {
        idleLanes++
        if (idle.length < NAMES_PER_REQUEST && this.#isDue(lane, now) && isOfPipe(idle, pipe)) idle.push(lane)
      }
    }
    for (const lane of idle) {
      this.#askedAt.set(lane, now)
      add(byPipe, lane.path.pipe, lane)
    }
    // All have had their turn before the first has it again, also where that takes longer.
    const roundMs = (idleLanes / NAMES_PER_REQUEST) * this.#intervalMs
    this.#idleEveryMs = Math.max(IDLE_EVERY_MS, roundMs * ROUND_SLACK)
    this.#forgetUnused(inUse, now)
    return byPipe
  }

  /** A pipe whose last channel is gone is not asked again, so nothing else would end its trouble. */
  #forgetUnused(inUse: ReadonlySet<PipePath>, now: number): void {
    for (const [pipe, { until }] of this.#failing) {
      if (inUse.has(pipe) || now < until || this.#asking.has(pipe)) continue
      this.#failing.delete(pipe)
      this.#deps.trouble.gone(nameOf(pipe))
    }
  }

  /** The time of a lane that is new begins to count. */
  #isDue(lane: AskedLane, now: number): boolean {
    const asked = this.#askedAt.get(lane)
    if (asked === undefined) this.#askedAt.set(lane, now)
    return asked !== undefined && now - asked >= this.#idleEveryMs
  }

  /** Nothing of the pipe is known to be committed while it is so. */
  #failed(pipe: PipePath, { answer, verdict }: Failure, asked: number): void {
    const { clock, onMoved, onRefused, trouble } = this.#deps
    const wasRefused = this.#failing.get(pipe)?.isRefused ?? false
    const isRefused = verdict === 'unauthorized' || verdict === 'blocked'
    const pauseMs = answer.retryAfterMs ?? (isRefused ? this.#refusedRetryMs : 0)
    this.#failing.set(pipe, { until: clock.monotonic() + pauseMs, isRefused })
    if (verdict === 'moved') {
      onMoved(pipe, asked)
      return
    }
    const told = [nameOf(pipe), codeOf(answer), answer.message] as const
    if (isRefused) trouble.refused(...told, remedyFor(answer), answer.requestId)
    else trouble.unavailable(...told, answer.requestId)
    if (isRefused && !wasRefused && concernOf(verdict, answer) === 'pipe')
      onRefused(pipe, `${codeOf(answer)}: ${answer.message}`)
  }

  async #askPipe(pipe: PipePath, lanes: readonly AskedLane[]): Promise<void> {
    const generations = lanes.map((lane) => lane.generation)
    const asked = this.#deps.clock.monotonic()
    const outcome = await this.#deps.snowpipe.status(
      pipe,
      lanes.map((lane) => lane.path.channel),
    )
    if (this.#stop.signal.aborted) return
    if (outcome.verdict !== 'ok') return this.#failed(pipe, outcome, asked)
    if (this.#failing.delete(pipe)) this.#deps.trouble.gone(nameOf(pipe))
    for (const [index, lane] of lanes.entries()) {
      const generation = generations[index] ?? -1
      const status = outcome.value.get(lane.path.channel)
      if (status === undefined) lane.vanished(generation)
      else lane.observe(status, generation)
    }
  }
}

/** Among the devices that have trouble. */
function nameOf({ database, schema, pipe }: PipePath): string {
  return `status of ${database}.${schema}.${pipe}`
}

function add(byPipe: Map<PipePath, AskedLane[]>, pipe: PipePath, lane: AskedLane): void {
  const lanes = byPipe.get(pipe)
  if (lanes === undefined) byPipe.set(pipe, [lane])
  else lanes.push(lane)
}

function isOfPipe([first]: readonly AskedLane[], pipe: PipePath): boolean {
  return first === undefined || first.path.pipe === pipe
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = []
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size))
  return result
}
