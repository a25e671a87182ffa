import { openBootClock } from '../../../publisher/boot-clock.ts'
import { NOT_BEFORE_MS, openClockSync } from '../../../publisher/clock-sync.ts'
import type { Check } from '../check.ts'
import { broken, ok, skipped, warn } from '../finding.ts'

const FIX = 'sudo timedatectl set-ntp true, and see with timedatectl timesync-status whether a server answers'

/** Whether this machine's clock is kept right. How far it is off is seen where another clock can be asked. */
export const timeServiceCheck: Check = {
  id: 'machine.clock',
  async run({ clock }) {
    const now = new Date(clock.now()).toISOString().slice(0, 19)
    if (clock.now() < NOT_BEFORE_MS)
      return [
        broken('machine.clock', `the clock says ${now} UTC, which is long past`, { why: 'it was never set', fix: FIX }),
      ]
    const sync = await openClockSync({ root: '/', notBefore: () => NOT_BEFORE_MS }, clock, openBootClock('/'))
    const { state, expected } = await sync.look()
    if (state === 'synced') return [ok('machine.clock', `a time service keeps the clock: ${now} UTC`)]
    if (!expected) return [skipped('machine.clock', 'nothing here says whether a time service keeps the clock')]
    return [
      warn('machine.clock', `a time service runs, and has not set the clock yet: ${now} UTC`, {
        why: 'readings wait for the right time, and Snowflake refuses keys when the time is wrong',
        fix: FIX,
      }),
    ]
  },
}
