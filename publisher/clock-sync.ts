import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../src/clock.ts'

/** What can be said about the wall clock when a reading was taken. */
export type ClockState = 'synced' | 'unsynced'

/** systemd-timesyncd makes this file at its first synchronisation after boot. */
const MARK = 'run/systemd/timesync/synchronized'
const LOOK_EVERY_MS = 10_000

/**
 * `synced` once systemd-timesyncd says so. A machine whose clock another program sets (chrony, ntpd, its
 * host) is `unsynced` here, for then nothing vouches for the time that we could see.
 */
export function createClockSync(root: string, clock: Clock): () => Promise<ClockState> {
  let state: ClockState = 'unsynced'
  let lookedAt = Number.NEGATIVE_INFINITY
  return async () => {
    const now = clock.monotonic()
    if (state === 'unsynced' && now - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = now
      state = await access(join(root, MARK)).then(
        () => 'synced' as const,
        () => 'unsynced' as const,
      )
    }
    return state
  }
}
