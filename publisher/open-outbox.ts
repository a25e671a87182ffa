import type { PublisherSettings } from './config.ts'
import { type DiskOutboxDeps, openDiskOutbox } from './disk-outbox.ts'
import { createMemoryOutbox } from './memory-outbox.ts'
import type { Outbox } from './outbox.ts'

/** On disk where a directory is given, else in memory. */
export async function openOutbox(
  settings: Pick<PublisherSettings, 'outbox_dir' | 'outbox_limit' | 'outbox_sync' | 'outbox_alone'>,
  whose: { readonly hostname: string; readonly boot: string },
  deps: DiskOutboxDeps,
): Promise<Outbox> {
  const { outbox_dir: dir, outbox_limit: limit, outbox_sync: syncEveryMs, outbox_alone: aloneMs } = settings
  const bounds = { limit, aloneMs }
  return dir === ''
    ? createMemoryOutbox(bounds, deps.clock)
    : openDiskOutbox({ dir, ...bounds, syncEveryMs, ...whose }, deps)
}
