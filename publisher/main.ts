import type { MqttSettings } from '../src/mqtt-section.ts'
import { aborted } from '../src/signals.ts'
import { within } from '../src/within.ts'
import type { PublisherSettings } from './config.ts'
import { type Publisher, type PublisherDeps, startPublisher } from './publisher.ts'

export interface PublisherRunSettings {
  readonly publisher: PublisherSettings
  readonly mqtt: MqttSettings
}

export interface PublisherRunDeps extends PublisherDeps {
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/** How long the end of the last batch waits for its readings to be in the table. */
const DRAIN_MS = 30_000

/**
 * The command `snowhat publisher`: returns when it was told to stop, or when `max_batches` are taken. False when
 * readings are left that are not known to be in the table although a bridge was there to say so. Rejects when the outbox
 * has failed.
 */
export async function runPublisher(settings: PublisherRunSettings, deps: PublisherRunDeps): Promise<boolean> {
  const publisher = await startPublisher(settings.publisher, settings.mqtt, deps)
  // Here and not where a publisher starts: the demo's outboxes are meant to be in memory.
  if (settings.publisher.outbox_dir === '')
    deps.log.warn(
      { hint: 'readings not yet in the table are lost when the publisher stops; outbox_dir keeps them on disk' },
      'the outbox is in memory',
    )
  const ended = new AbortController()
  let done: boolean
  const signal = AbortSignal.any([deps.signal, ended.signal])
  try {
    await Promise.race([publisher.finished, aborted(deps.signal), publisher.failed])
    done = deps.signal.aborted || (await Promise.race([drain(publisher, { ...deps, signal }), publisher.failed]))
  } finally {
    ended.abort()
    await publisher.close()
  }
  // The last sync of all may be the one that fails.
  await Promise.race([publisher.failed, undefined])
  return done
}

/** Where no bridge ever was nothing will be committed: there is nothing to wait for but the broker, as `close` does. */
async function drain(publisher: Publisher, { clock, log, signal }: PublisherRunDeps): Promise<boolean> {
  if (!publisher.bridgeSeen()) {
    log.info(publisher.stats(), 'all readings are taken; no bridge is there to say that they are in the table')
    return true
  }
  log.info(publisher.stats(), 'all readings are taken, waiting until they are in the table')
  await within(DRAIN_MS, clock, (late) => publisher.drained(AbortSignal.any([late, signal])))
  const stats = publisher.stats()
  const done = stats.outbox === 0
  if (done) log.info(stats, 'all readings are in the table')
  else log.warn(stats, 'not all readings are known to be in the table')
  return done
}
