import type { Clock } from '../../src/clock.ts'
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
  async refused(call: Call, concern: Concern, answer: Answer, signal: AbortSignal): Promise<void> {
    const place = placeOf(call, concern)
    if (concern === 'channel' || this.#loners.get(place)?.has(call.device)) {
      await this.#clock.sleep(this.#lookEveryMs, signal).catch(() => undefined)
      return
    }
    const blocks = this.#blocks.get(place) ?? new Map<Concern, Roadblock>()
    this.#blocks.set(place, blocks)
    const block = blocks.get(concern) ?? new Roadblock(answer, this.#lookEveryMs, this.#clock)
    blocks.set(concern, block)
    block.refused(call)
    await block.wait(call, signal)
  }

  /** Waits at what is ahead of this call, if anything is. */
  async wait(call: Call, signal: AbortSignal): Promise<void> {
    for (let block = this.#ahead(call); block !== undefined && !signal.aborted; block = this.#ahead(call))
      await block.wait(call, signal)
  }

  /** Snowflake has said something else to the call than before: whatever it looked at is over. */
  passed({ device, operation, pipe }: Call): void {
    for (const place of [ACCOUNT, pipe] as const) {
      this.#loners.get(place)?.delete(device)
      const blocks = this.#blocks.get(place)
      for (const [concern, block] of blocks ?? []) {
        if (!block.isLookedAtBy(device) || (concern === 'openings' && operation !== 'open')) continue
        blocks?.delete(concern)
        const others = this.#loners.get(place) ?? new Set()
        for (const other of block.over()) if (other !== device) others.add(other)
        this.#loners.set(place, others)
      }
    }
  }

  /** It looks no more, and waits no more: closed, held. */
  left(device: string, pipe: PipePath): void {
    for (const place of [ACCOUNT, pipe] as const)
      for (const block of this.#blocks.get(place)?.values() ?? []) block.left(device)
  }

  /** Nobody is waited for any more. */
  close(): void {
    for (const blocks of this.#blocks.values()) for (const block of blocks.values()) block.over()
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
