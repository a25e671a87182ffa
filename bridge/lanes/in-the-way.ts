import type { DeviceLog } from '../spool/device-log.ts'

/** What is asked of a lane; times are monotonic. */
export interface Deliverable {
  readonly device: DeviceLog
  /** Since when rows wait and Snowflake has taken none, whatever the reason; `undefined` without rows. */
  readonly untakenSince: number | undefined
  /** When Snowflake last took something. */
  readonly takenAt: number | undefined
}

/** A device that cannot be delivered for this long is moved aside [contract, section 4]. */
const PATIENCE_MS = 10 * 60_000
/** In which a lane that is well takes something, and one that is not has had its chance. */
const A_WHILE_MS = 2 * 60_000

/**
 * Devices whose rows are to be moved aside, for the sake of the others: after ten minutes, or sooner when those wait for the
 * room in memory. None when no other device is well: then it is not the device.
 */
export function inTheWay(lanes: readonly Deliverable[], crowded: boolean, now: number): DeviceLog[] {
  if (!lanes.some(({ takenAt }) => takenAt !== undefined && now - takenAt < A_WHILE_MS)) return []
  const patience = crowded ? A_WHILE_MS : PATIENCE_MS
  return lanes
    .filter(({ untakenSince }) => untakenSince !== undefined && now - untakenSince >= patience)
    .map(({ device }) => device)
    .filter((device) => !device.aside && device.waiting > 0)
}
