import type { Clock } from '../../src/clock.ts'

/**
 * What deserves a notification of its own. The names are a public contract: entities and automations hang on them.
 * That the broker is away is none: nobody could hear it, and the availability shows it.
 */
export const ALERT_CODES = [
  'held',
  'blocked',
  'behind',
  'missing',
  'rejected',
  'spool_full',
  'ledger_refused',
  'dead_letters_not_kept',
  'duplicate_channel_owner',
  'rival',
  'credential_expires',
  'budget_projected',
  'budget_exceeded',
] as const

export type AlertCode = (typeof ALERT_CODES)[number]

/** Something is wrong at this moment. */
export interface Finding {
  readonly code: AlertCode
  readonly message: string
}

/** It stands from the moment it was found until it has been gone for a while. */
export interface Alert extends Finding {
  /** Epoch milliseconds. */
  readonly since: number
}

/** What comes and goes is one alert and not many: automations and phones would ring each time. */
const GONE_FOR_MS = 60_000

/** Makes steady alerts of what is found at each look. */
export class Alerts {
  readonly #find: (stands: (code: AlertCode) => boolean) => readonly Finding[]
  readonly #clock: Clock
  readonly #standing = new Map<AlertCode, Alert & { readonly foundAt: number }>()

  /** `find` may ask what stands, to find the end of it later than its begin. */
  constructor(find: (stands: (code: AlertCode) => boolean) => readonly Finding[], clock: Clock) {
    this.#find = find
    this.#clock = clock
  }

  /** Looks, and gives what stands then, in the order of the codes. */
  look(): Alert[] {
    const foundAt = this.#clock.monotonic()
    for (const { code, message } of this.#find((code) => this.#standing.has(code))) {
      const since = this.#standing.get(code)?.since ?? this.#clock.now()
      this.#standing.set(code, { code, message, since, foundAt })
    }
    for (const [code, alert] of this.#standing) if (foundAt - alert.foundAt >= GONE_FOR_MS) this.#standing.delete(code)
    return ALERT_CODES.flatMap((code) => this.#standing.get(code) ?? [])
  }
}
