import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomId } from '../src/random-id.ts'

/** A clock that nobody sets: milliseconds of one boot of the machine, for all runs of the program in it. A moment by it is a `BootTime`. */
export interface BootClock {
  readonly boot: string
  ms(): number
}

/** New at each boot of the kernel [documented, random(4)]. */
const BOOT_ID = 'proc/sys/kernel/random/boot_id'

/**
 * Node's `hrtime` is CLOCK_MONOTONIC on Linux, which begins at boot and is one for all processes [observed]. Not
 * /proc/uptime: in some containers that begins with the container, under the same boot id. It stands still while the
 * machine sleeps; one that does sleep has a battery clock [assumed].
 *
 * Where there is no boot id every run counts as a boot of its own.
 */
export function openBootClock(root: string): BootClock {
  return { boot: bootId(root) ?? `run-${randomId(16)}`, ms: () => Number(process.hrtime.bigint() / 1_000n) / 1_000 }
}

function bootId(root: string): string | undefined {
  try {
    return readFileSync(join(root, BOOT_ID), 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
