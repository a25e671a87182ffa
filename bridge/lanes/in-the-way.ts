import type { DeviceLog } from '../spool/device-log.ts'

/** What is asked of a lane. */
export interface Deliverable {
  readonly device: DeviceLog
  /** Since when it cannot be delivered (blocked, or held for a person), monotonic; `undefined` when it can. */
  readonly undeliverableSince: number | undefined
}

/** A device that cannot be delivered for this long is moved aside [contract, section 4]. */
const PATIENCE_MS = 10 * 60_000

/**
 * Devices whose rows are to be moved aside, for the sake of the others: at once when those wait for the room in memory,
 * else after ten minutes. None when no other device is well: then it is not the device.
 */
export function inTheWay(lanes: readonly Deliverable[], crowded: boolean, now: number): DeviceLog[] {
  if (lanes.every(({ undeliverableSince }) => undeliverableSince !== undefined)) return []
  return lanes
    .filter(({ undeliverableSince: since }) => since !== undefined && (crowded || now - since >= PATIENCE_MS))
    .map(({ device }) => device)
    .filter((device) => !device.aside && device.waiting > 0)
}
