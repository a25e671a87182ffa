import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { SpoolSettings } from '../config.ts'
import { openDiskSpool } from './disk-spool.ts'
import { MemorySpool } from './memory-spool.ts'
import type { Spool } from './spool.ts'

/** On disk where a directory is given, else in memory. */
export async function openSpool(settings: SpoolSettings, deps: { clock: Clock; log: Log }): Promise<Spool> {
  if (settings.dir === '') return new MemorySpool(settings.max_bytes)
  const { dir, max_bytes: maxBytes, memory_bytes: memoryBytes } = settings
  return openDiskSpool({ dir, maxBytes, memoryBytes }, deps)
}
