import type { Clock } from '../src/clock.ts'
import type { Status } from './matrix/signs.ts'

/** How the readings fare at a moment. */
export interface Fare {
  /** To the broker. */
  readonly connected: boolean
  /** Readings held that are not known to be in the table. */
  readonly held: number
  /** Readings that were held and are no more, since the start. */
  readonly gone: number
  /** Something that is told in `info` as a problem. */
  readonly trouble: boolean
}

/** Readings are usually in the table within ten seconds; what takes longer than this is worth a light. */
export const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 1_000

/** All readings that were held at a moment. */
interface Mark {
  readonly at: number
  /** `gone` when the last of them has left. */
  readonly until: number
}

/**
 * What the status on the matrix says. `connected`: what was held at some moment was in the table within a minute;
 * `backlog`: it was not, or the broker has been away for so long; `error`: there is a problem. It says nothing before it
 * knows.
 */
export class PanelStatus {
  readonly #look: () => Fare
  readonly #show: (status: Status | undefined) => void
  readonly #clock: Clock
  #mark: Mark
  #inTime: boolean | undefined
  #shown: Status | undefined
  #cancelTimer: () => void = () => undefined

  /** `show` is called when the status is another one. */
  constructor(look: () => Fare, show: (status: Status | undefined) => void, clock: Clock) {
    this.#look = look
    this.#show = show
    this.#clock = clock
    this.#mark = this.#markOf(look())
    this.#tick()
  }

  close(): void {
    this.#cancelTimer()
  }

  #tick(): void {
    const status = this.#now(this.#look())
    if (status !== this.#shown) this.#show(status)
    this.#shown = status
    this.#cancelTimer = this.#clock.after(LOOK_EVERY_MS, () => this.#tick())
  }

  #now(fare: Fare): Status | undefined {
    const isLate = this.#clock.monotonic() - this.#mark.at > PATIENCE_MS
    if (isLate) this.#inTime = false
    if (fare.connected && fare.gone >= this.#mark.until) {
      this.#inTime = !isLate
      this.#mark = this.#markOf(fare)
    }
    if (fare.trouble) return 'error'
    return this.#inTime === undefined ? undefined : this.#inTime ? 'connected' : 'backlog'
  }

  #markOf({ gone, held }: Fare): Mark {
    return { at: this.#clock.monotonic(), until: gone + held }
  }
}
