import { channelKey } from '../names.ts'
import { chance } from './chance.ts'
import type { Fault } from './fault.ts'

/** One fault in force: whom it strikes, when, how often, and how often it has. */
export class Rule {
  readonly fault: Fault
  readonly beginsAt: number
  readonly endsAt: number
  readonly #pattern: RegExp | undefined
  /**
   * One generator per operation and channel: whether the n-th append to a channel is hit does not depend on what the
   * others do meanwhile. That is what makes a seed worth writing down.
   */
  readonly #chances = new Map<string, () => number>()
  #hits = 0

  /** `now` is monotonic. */
  constructor(fault: Fault, now: number) {
    this.fault = fault
    this.beginsAt = now + fault.after
    this.endsAt = fault.for === undefined ? Number.POSITIVE_INFINITY : this.beginsAt + fault.for
    const pattern = 'channel' in fault ? fault.channel : undefined
    this.#pattern = pattern === undefined ? undefined : patternOf(pattern)
  }

  get hits(): number {
    return this.#hits
  }

  state(now: number): 'waiting' | 'in force' | 'over' {
    if (now < this.beginsAt) return 'waiting'
    return now < this.endsAt && !this.#isUsedUp ? 'in force' : 'over'
  }

  get #isUsedUp(): boolean {
    return 'count' in this.fault && this.fault.count !== undefined && this.#hits >= this.fault.count
  }

  /** Any channel will do for a fault that names none. */
  concerns(channel: string): boolean {
    return this.#pattern === undefined || this.#pattern.test(channelKey(channel))
  }

  /** Whether it strikes now, which then counts. */
  strikes(operation: string, channels: readonly string[], now: number): boolean {
    if (this.state(now) !== 'in force') return false
    if (this.#pattern !== undefined && !channels.some((channel) => this.concerns(channel))) return false
    const probability = 'probability' in this.fault ? this.fault.probability : 1
    if (probability < 1 && this.draw(operation, channels) >= probability) return false
    this.#hits += 1
    return true
  }

  /** The next number in [0, 1) of this operation and channel. */
  draw(operation: string, channels: readonly string[]): number {
    const [only, ...others] = channels
    const subject = `${operation}/${others.length === 0 ? channelKey(only ?? '') : '*'}`
    const known = this.#chances.get(subject)
    const next = known ?? chance('seed' in this.fault ? this.fault.seed : 1, subject)
    if (known === undefined) this.#chances.set(subject, next)
    return next()
  }
}

function patternOf(glob: string): RegExp {
  const escaped = channelKey(glob).replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}
