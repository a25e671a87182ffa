import type { DeviceLog } from '../spool/device-log.ts'

/** What is asked of a lane; times are monotonic. */
export interface Deliverable {
  readonly device: DeviceLog
  /** Since when rows wait and Snowflake has taken none, whatever the reason; `undefined` without rows. */
  readonly untakenSince: number | undefined
  /** When Snowflake last took something. */
  readonly takenAt: number | undefined
  /** How often anybody had been served when it last failed; infinite while a person has to act. */
  readonly failedAfter: number | undefined
}

/** A device that cannot be delivered for this long is moved aside [contract, section 4]. */
const PATIENCE_MS = 10 * 60_000
/** The same when rows of others wait for the room in memory. */
const CROWDED_PATIENCE_MS = 2 * 60_000
/** Nobody served for this long: it is not the device. Longer than a lane with few rows takes from one batch to the next. */
const SERVICE_GAP_MS = 60_000
/** At once: while rows are moved nothing else is written. */
const TOGETHER = 10

/**
 * Finds devices whose rows are to be moved aside, for the sake of the others. Only time in which others are served counts, and
 * only a failure in that time: in an outage, and while a fleet has its channels opened one by one after it, all wait, and
 * nobody is in the way.
 */
export class InTheWay {
  /** Since when others are served without a longer gap, and how often anybody had been by then. */
  #service: { readonly since: number; readonly served: number } | undefined

  /** To be asked every few seconds. `served`: how often anybody has been. The devices with most rows come first. */
  look(lanes: readonly Deliverable[], served: number, crowded: boolean, now: number): DeviceLog[] {
    if (!lanes.some(({ takenAt }) => takenAt !== undefined && now - takenAt < SERVICE_GAP_MS)) this.#service = undefined
    else this.#service ??= { since: now, served }
    const service = this.#service
    if (service === undefined) return []
    const patience = crowded ? CROWDED_PATIENCE_MS : PATIENCE_MS
    return lanes
      .filter(
        ({ untakenSince }) => untakenSince !== undefined && now - Math.max(untakenSince, service.since) >= patience,
      )
      .filter(({ failedAfter }) => failedAfter !== undefined && failedAfter > service.served)
      .map(({ device }) => device)
      .filter((device) => !device.aside && device.waiting > 0)
      .sort((a, b) => b.waiting - a.waiting)
      .slice(0, TOGETHER)
  }
}
