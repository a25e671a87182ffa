import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { SpoolSettings } from '../config.ts'
import { openDiskSpool } from './disk-spool.ts'
import { MemorySpool } from './memory-spool.ts'
import type { Spool } from './spool.ts'

/** On disk where a directory is given, else in memory. */
export async function openSpool(settings: SpoolSettings, deps: { clock: Clock; log: Log }): Promise<Spool> {
  if (settings.dir === '') return new MemorySpool(settings.max_bytes)
  return openDiskSpool({ dir: settings.dir, maxBytes: settings.max_bytes }, deps)
}
