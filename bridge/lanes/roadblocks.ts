import type { Clock } from '../../src/clock.ts'
import type { StopSignal } from '../../src/stop.ts'
import type { Answer } from '../snowpipe/answer.ts'
import type { PipePath } from '../snowpipe/client.ts'
import type { Concern } from '../snowpipe/verdict.ts'
import { type Call, Roadblock } from './roadblock.ts'

/** Between two looks, whatever is configured. */
const SHORTEST_MS = 100
/** Stands for the account where else a pipe stands. */
const ACCOUNT = 'account'
type Place = PipePath | typeof ACCOUNT

/**
 * What a person must mend (a key, a grant, a pipe) stops all whom it concerns at once, and not each of thousands by itself: one looks
 * again at a slow pace, the others wait for it, and when it gets through all go on.
 */
export class Roadblocks {
  readonly #clock: Clock
  readonly #lookEveryMs: number
  readonly #blocks = new Map<Place, Map<Concern, Roadblock>>()
  /** Who was refused while others got through: it is of their own until they get through. By the place where it was. */
  readonly #loners = new Map<Place, Set<string>>()

  constructor(lookEveryMs: number, clock: Clock) {
    this.#lookEveryMs = Math.max(SHORTEST_MS, lookEveryMs)
    this.#clock = clock
  }

  /** The answer that stands in the way of this call, `undefined` when nothing does, or when the call is the one that looks. */
  ahead(call: Call): Answer | undefined {
    return this.#ahead(call)?.answer
  }

  /**
   * The call was refused. Waits until the way is free, or until it is this caller's turn to look; as long as it is about nobody else,
   * for as long as between two looks.
   */
  async refused(call: Call, concern: Concern, answer: Answer, signal: StopSignal): Promise<void> {
    if (signal.aborted) return
    this.#reached(call, concern)
    const place = placeOf(call, concern)
    const blocks = this.#blocks.get(place) ?? new Map<Concern, Roadblock>()
    const known = blocks.get(concern)
    if (concern === 'channel' || this.#loners.get(place)?.has(call.device)) {
      // It was to look for all: what it has found is of its own, and says nothing to them.
      if (known?.isLookedAtBy(call.device)) known.refused(call)
      await this.#clock.sleep(this.#lookEveryMs, signal).catch(() => undefined)
      return
    }
    const block = known ?? new Roadblock(answer, this.#lookEveryMs, this.#clock)
    this.#blocks.set(place, blocks.set(concern, block))
    block.refused(call)
    await block.wait(call, signal)
  }

  /** Waits at what is ahead of this call, if anything is. */
  async wait(call: Call, signal: StopSignal): Promise<void> {
    for (let block = this.#ahead(call); block !== undefined && !signal.aborted; block = this.#ahead(call))
      await block.wait(call, signal)
  }

  /** Snowflake has said something else to the call than before: whatever it looked at is over. */
  passed(call: Call): void {
    this.#reached(call, undefined)
  }

  /** It looks no more, and waits no more: closed, held. */
  left(device: string, pipe: PipePath): void {
    for (const place of [ACCOUNT, pipe] as const) {
      this.#loners.get(place)?.delete(device)
      for (const block of this.#blocks.get(place)?.values() ?? []) block.left(device)
    }
  }

  /** Nobody is waited for any more. */
  close(): void {
    for (const blocks of this.#blocks.values()) for (const block of blocks.values()) block.over()
  }

  /** So far the call has come, `undefined`: all the way. What it looked at before that is over. */
  #reached({ device, operation, pipe }: Call, concern: Concern | undefined): void {
    for (const place of [ACCOUNT, pipe] as const) {
      if (isBehind(place === ACCOUNT ? 'account' : 'pipe', concern)) this.#loners.get(place)?.delete(device)
      const blocks = this.#blocks.get(place)
      for (const [other, block] of blocks ?? []) {
        if (!block.isLookedAtBy(device) || !isBehind(other, concern)) continue
        if (other === 'openings' && operation !== 'open') continue
        blocks?.delete(other)
        const loners = this.#loners.get(place) ?? new Set()
        for (const refused of block.over()) if (refused !== device) loners.add(refused)
        this.#loners.set(place, loners)
      }
    }
  }

  #ahead(call: Call): Roadblock | undefined {
    for (const place of [ACCOUNT, call.pipe] as const)
      for (const [concern, block] of this.#blocks.get(place) ?? [])
        if (!block.isLookedAtBy(call.device) && (concern !== 'openings' || call.operation === 'open')) return block
    return undefined
  }
}

function placeOf({ pipe }: Call, concern: Concern): Place {
  return concern === 'account' ? ACCOUNT : pipe
}

/** Whom it concerns, the most first: Snowflake does not come to the next before it is content with one [assumed]. */
const CONCERNS: readonly Concern[] = ['account', 'pipe', 'openings', 'channel']

/** A call that was refused because of `reached`, or not at all, has got past `concern`. */
function isBehind(concern: Concern, reached: Concern | undefined): boolean {
  return reached === undefined || CONCERNS.indexOf(concern) < CONCERNS.indexOf(reached)
}
