import type { Clock } from '../../src/clock.ts'
import type { Dialect } from '../answer-dialect.ts'
import type { RateLimits } from '../rate-limit.ts'
import type { FaultDocument } from './document.ts'
import { type Fault, isRequestFault, type Operation, type RequestFault } from './fault.ts'
import { Rule } from './rule.ts'

export interface Limits extends RateLimits {
  readonly channelsPerPipe: number
  /** 0 for no limit. */
  readonly namesPerStatus: number
}

/** How the service is when nobody disturbs it. */
export interface Undisturbed {
  readonly dialect: Dialect
  readonly limits: Limits
  readonly commitDelayMs: number
}

/** A fault that strikes a request. */
export interface Strike {
  readonly fault: RequestFault
  /** Of the channels the request names, those the fault is about. */
  readonly channels: readonly string[]
  /** How long, if it is a delay. */
  readonly ms: number
  /** Aborted when the fault is no longer in force: nobody waits for it any more. */
  readonly replaced: AbortSignal
}

const NOTHING: FaultDocument = { faults: [], dialect: {}, limits: {}, written: [] }

/** What is in force. Only asked: who changes the service is in `disturber.ts`. */
export class Faults {
  readonly #undisturbed: Undisturbed
  readonly #clock: Clock
  #document = NOTHING
  #rules: readonly Rule[] = []
  #replaced = new AbortController()

  constructor(undisturbed: Undisturbed, deps: { clock: Clock }) {
    this.#undisturbed = undisturbed
    this.#clock = deps.clock
  }

  /** A new document takes the place of the old one, with new counts. */
  replace(document: FaultDocument): void {
    this.#replaced.abort()
    this.#replaced = new AbortController()
    const now = this.#clock.monotonic()
    this.#document = document
    this.#rules = document.faults.map((fault) => new Rule(fault, now))
  }

  close(): void {
    this.#rules = []
    this.#replaced.abort()
  }

  get rules(): readonly Rule[] {
    return this.#rules
  }

  /** Aborted when another document takes the place of this one. */
  get replaced(): AbortSignal {
    return this.#replaced.signal
  }

  /** What strikes this request, in the order of the document. */
  strike(operation: Operation, channels: readonly string[]): Strike[] {
    const now = this.#clock.monotonic()
    return this.#rules.flatMap((rule) => {
      const { fault } = rule
      if (!isRequestFault(fault) || (fault.operation !== operation && fault.operation !== '*')) return []
      if (!rule.strikes(operation, channels, now)) return []
      const concerned = channels.filter((channel) => rule.concerns(channel))
      const ms = fault.action === 'delay' ? timeOf(fault.ms, () => rule.draw(operation, channels)) : 0
      return [{ fault, channels: concerned, ms, replaced: this.replaced }]
    })
  }

  /** How long the rows of an append to this channel take to their commit. */
  commitDelayMs(channel: string): number {
    const now = this.#clock.monotonic()
    for (const rule of this.#rules) {
      const { fault } = rule
      if (fault.action !== 'delay' || fault.operation !== 'commit' || !rule.strikes('commit', [channel], now)) continue
      return timeOf(fault.ms, () => rule.draw('commit', [channel]))
    }
    return this.#undisturbed.commitDelayMs
  }

  /** Nothing of the channel commits now. */
  isFrozen(channel: string): boolean {
    return this.#standing('freeze').some((rule) => rule.concerns(channel))
  }

  /** How far the service's clock is ahead. */
  get clockSkewMs(): number {
    return this.#standing('skew-clock').reduce((sum, { fault }) => sum + ('by' in fault ? fault.by : 0), 0)
  }

  get dialect(): Dialect {
    return { ...this.#undisturbed.dialect, ...this.#document.dialect }
  }

  get limits(): Limits {
    return { ...this.#undisturbed.limits, ...this.#document.limits }
  }

  /** For `GET /emulator/faults`: the faults as they were written, and beside each how often it struck and how it stands. */
  get view(): Readonly<Record<string, unknown>> {
    const now = this.#clock.monotonic()
    return {
      faults: this.#document.written,
      hits: this.#rules.map((rule) => rule.hits),
      states: this.#rules.map((rule) => rule.state(now)),
      dialect: this.dialect,
      limits: this.limits,
    }
  }

  #standing(action: Fault['action']): Rule[] {
    const now = this.#clock.monotonic()
    return this.#rules.filter((rule) => rule.fault.action === action && rule.state(now) === 'in force')
  }
}

function timeOf(ms: number | readonly [number, number], draw: () => number): number {
  return typeof ms === 'number' ? ms : ms[0] + draw() * (ms[1] - ms[0])
}
