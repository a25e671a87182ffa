import { counted } from '../src/counted.ts'
import type { Wellbeing } from '../src/notify.ts'
import type { Spool } from './spool/spool.ts'

/** A disk that is slow or checks itself answers within seconds. */
const STUCK_AFTER_MS = 30_000

/**
 * The process alone: that the event loop turns shows by being asked at all, and the spool's disk by coming to the end of each
 * write. A disk that fails ends the bridge by itself; one that hangs tells nobody.
 */
export function wellbeingOf(spool: Pick<Spool, 'busyMs' | 'devices'>, isConnected: boolean): Wellbeing {
  const devices = [...spool.devices()]
  const waiting = devices.reduce((sum, device) => sum + device.waiting, 0)
  const { busyMs } = spool
  const broker = isConnected ? 'connected to the broker' : 'waiting for the broker'
  return {
    status: `${broker}; ${counted(devices.length, 'device')}, ${counted(waiting, 'row')} not yet in the table`,
    stuck:
      busyMs < STUCK_AFTER_MS
        ? undefined
        : `the disk of the spool has not answered for ${Math.round(busyMs / 1_000)} s`,
  }
}
