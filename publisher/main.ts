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

/** The command `snowhat publisher`: returns when it was told to stop, or when `max_batches` are taken. */
export async function runPublisher(settings: PublisherRunSettings, deps: PublisherRunDeps): Promise<void> {
  const publisher = await startPublisher(settings.publisher, settings.mqtt, deps)
  try {
    await Promise.race([publisher.finished, aborted(deps.signal)])
    if (!deps.signal.aborted) await drain(publisher, deps)
  } finally {
    await publisher.close()
  }
}

/** Without a bridge nothing will be committed, so there is nothing to wait for but the broker, as `close` does. */
async function drain(publisher: Publisher, { clock, log, signal }: PublisherRunDeps): Promise<void> {
  if (!publisher.bridgeOnline()) {
    log.info(publisher.stats(), 'all readings are taken; no bridge is there to say that they are in the table')
    return
  }
  log.info(publisher.stats(), 'all readings are taken, waiting until they are in the table')
  await within(DRAIN_MS, clock, (late) => publisher.drained(AbortSignal.any([late, signal])))
  const stats = publisher.stats()
  if (stats.outbox === 0) log.info(stats, 'all readings are in the table')
  else log.warn(stats, 'not all readings are known to be in the table')
}
