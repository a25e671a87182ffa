import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { SpoolSettings } from '../config.ts'
import type { DeadLetters } from './dead-letters.ts'
import { openDiskDeadLetters } from './disk-dead-letters.ts'
import { KEPT_BYTES, MemoryDeadLetters } from './memory-dead-letters.ts'

/** The folder of a spool directory. */
export const DEAD_LETTERS = 'dead-letters'

export function deadLettersIn(spoolDir: string): string {
  return join(spoolDir, DEAD_LETTERS)
}

/** On disk where the spool is, else in memory. */
export async function openDeadLetters(
  { dir, dead_letters_max_bytes: maxBytes }: SpoolSettings,
  deps: { clock: Clock; log: Log },
): Promise<DeadLetters> {
  if (dir === '') return new MemoryDeadLetters(Math.min(KEPT_BYTES, maxBytes))
  return openDiskDeadLetters({ dir: deadLettersIn(dir), maxBytes }, deps)
}
