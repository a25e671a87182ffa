import type { Clock } from '../../src/clock.ts'
import { Doubling } from '../../src/doubling.ts'
import type { Log } from '../../src/log.ts'
import type { StopSignal } from '../../src/stop.ts'
import type { Outcome, PipePath } from '../snowpipe/client.ts'

export interface OpeningPaceDeps {
  readonly clock: Clock
  readonly log: Log
}

/** Sent and not answered, per pipe: a service that is slow to open is not asked for more. */
const MOST_UNDER_WAY = 8
/** Begun with this share of what is allowed at most: the service's limit is not known [assumed: 5 to 10 a second]. */
const FIRST_SHARE = 0.5
/** Openings per second gained with each second that goes well, … */
const GAIN_PER_SECOND = 0.5
/** … what is left of them when the service throttles, and what is always left. */
const LEFT = 0.7
const LEAST_PER_SECOND = 0.2
/** Nothing is opened for so long after a refusal, where the service names no time of its own. */
const PAUSE_MS = 1_000

/** Weights change slowly, and a fleet that is weighed at each turn has the cost of it. */
const WEIGHED_EVERY_MS = 5_000

interface Waiter {
  readonly weight: () => number
  readonly go: (spacing: number) => void
}

/**
 * Spaces the opening of one pipe's channels: opening is slow and limited at the service, and a fleet starts all at once. How
 * often is one decision for the whole pipe: a little more with each opening that succeeds, a good deal less when one is
 * throttled. Whose turn it is is decided when it comes: the heaviest first.
 */
export class OpeningPace {
  readonly #pipe: string
  readonly #most: number
  readonly #deps: OpeningPaceDeps
  readonly #waiters = new Set<Waiter>()
  /** The heaviest last, as they were weighed then; who has come since is not in it. */
  #order: Waiter[] = []
  #weighedAt = Number.NEGATIVE_INFINITY
  readonly #throttles = new Doubling()
  #perSecond: number
  #nextAt = Number.NEGATIVE_INFINITY
  #underWay = 0
  /** Rises when the pace is lowered: answers to what was sent before are no news. */
  #decision = 0
  /** Ends the wait for the time of the next turn. */
  #cancel: (() => void) | undefined

  /** `most`: openings per second that are never exceeded. */
  constructor(pipe: string, most: number, deps: OpeningPaceDeps) {
    this.#pipe = pipe
    this.#most = Math.max(most, LEAST_PER_SECOND)
    this.#perSecond = Math.max(LEAST_PER_SECOND, this.#most * FIRST_SHARE)
    this.#deps = deps
  }

  /** Openings per second, as things are. */
  get perSecond(): number {
    return this.#perSecond
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiters.size
  }

  /**
   * Opens when it is this one's turn. `weight`: how much waits behind it, asked when a turn is given. `open` may find that nothing
   * is to be sent, and gives `undefined`: then the turn is the next one's. Rejects with the signal's reason when that is aborted
   * before.
   */
  async pass<T>(
    weight: () => number,
    open: () => Promise<Outcome<T> | undefined>,
    signal: StopSignal,
  ): Promise<Outcome<T> | undefined> {
    const spacing = await this.#turn(weight, signal)
    const decision = this.#decision
    try {
      signal.throwIfAborted()
      const outcome = await open()
      if (outcome === undefined) this.#giveBack(spacing)
      else if (outcome.verdict === 'ok') this.#faster()
      else if (isThrottled(outcome) && decision === this.#decision) this.#slower(outcome.answer.retryAfterMs)
      return outcome
    } finally {
      this.#underWay--
      this.#next()
    }
  }

  /** Resolves with the time that this turn takes from the others. */
  #turn(weight: () => number, signal: StopSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const stop = () => {
        this.#waiters.delete(waiter)
        if (this.#waiters.size === 0) this.#stopWaiting()
        reject(signal.reason)
      }
      const go = (spacing: number) => {
        signal.removeEventListener('abort', stop)
        resolve(spacing)
      }
      const waiter = { weight, go }
      signal.addEventListener('abort', stop, { once: true })
      this.#waiters.add(waiter)
      this.#next()
    })
  }

  /** Gives the next turn, now or when it is time. */
  #next(): void {
    if (this.#cancel !== undefined || this.#waiters.size === 0 || this.#underWay >= MOST_UNDER_WAY) return
    const { clock } = this.#deps
    const now = clock.monotonic()
    if (now < this.#nextAt) {
      this.#cancel = clock.after(this.#nextAt - now, () => {
        this.#cancel = undefined
        this.#next()
      })
      return
    }
    const heaviest = this.#heaviest(now)
    if (heaviest === undefined) return
    this.#waiters.delete(heaviest)
    this.#underWay++
    const spacing = 1000 / this.#perSecond
    // A timer that came a little late is no reason to be slower; time in which nobody came is not made up for.
    this.#nextAt = (now - this.#nextAt < spacing ? this.#nextAt : now) + spacing
    heaviest.go(spacing)
    this.#next()
  }

  #giveBack(spacing: number): void {
    this.#nextAt -= spacing
    this.#stopWaiting()
  }

  #stopWaiting(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #heaviest(now: number): Waiter | undefined {
    if (now - this.#weighedAt >= WEIGHED_EVERY_MS) this.#order = []
    for (;;) {
      if (this.#order.length === 0) {
        this.#order = weighed(this.#waiters)
        this.#weighedAt = now
      }
      const next = this.#order.pop()
      // Nobody is left; or it was told to stop meanwhile.
      if (next === undefined || this.#waiters.has(next)) return next
    }
  }

  #faster(): void {
    this.#throttles.reset()
    this.#perSecond = Math.min(this.#most, this.#perSecond + GAIN_PER_SECOND / this.#perSecond)
  }

  #slower(retryAfterMs: number | undefined): void {
    const { clock, log } = this.#deps
    this.#decision++
    this.#perSecond = Math.max(LEAST_PER_SECOND, this.#perSecond * LEFT)
    this.#nextAt = Math.max(this.#nextAt, clock.monotonic() + (retryAfterMs ?? PAUSE_MS))
    const perSecond = Math.round(this.#perSecond * 10) / 10
    this.#throttles.when((times) =>
      log.info(
        { pipe: this.#pipe, perSecond, waiting: this.waiting, times },
        'Snowflake throttles openings: fewer of them',
      ),
    )
  }
}

/** One pace for each pipe. */
export function openingPaces(most: number, deps: OpeningPaceDeps): (pipe: PipePath) => OpeningPace {
  // By the one object that stands for a pipe.
  const paces = new Map<PipePath, OpeningPace>()
  return (pipe) => {
    const pace = paces.get(pipe) ?? new OpeningPace(pipe.pipe, most, deps)
    paces.set(pipe, pace)
    return pace
  }
}

/** Too many requests: HTTP 429, or the code of it in another answer [documented, observed]. */
export function isThrottled<T>(outcome: Outcome<T>): boolean {
  return outcome.verdict === 'retry' && (outcome.answer.status === 429 || outcome.answer.code === '390701')
}

/** The heaviest last; of those alike, who came first goes first. */
function weighed(waiters: Iterable<Waiter>): Waiter[] {
  const weights = Array.from(waiters, (waiter) => ({ waiter, weight: waiter.weight() }))
  return weights
    .reverse()
    .sort((a, b) => a.weight - b.weight)
    .map(({ waiter }) => waiter)
}
