import { backoffMs } from '../src/backoff.ts'
import { messageOf } from '../src/errors.ts'
import type { Notify, Wellbeing } from '../src/notify.ts'
import { aborted } from '../src/signals.ts'
import { within } from '../src/within.ts'
import type { PublisherSections } from './config.ts'
import { type Publisher, type PublisherDeps, startPublisher } from './publisher.ts'

export interface PublisherRunDeps extends PublisherDeps {
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Who started it and wants to know how it is. */
  readonly notify?: Notify
}

/** How long the end of the last batch waits for its readings to be in the table. */
const DRAIN_MS = 30_000
const START_AGAIN = { firstMs: 1_000, maxMs: 60_000 }
/** An attempt to start again that takes longer has met something that hangs. */
const START_STUCK_MS = 120_000

/** How a life of the publisher ended. */
type End = 'done' | 'not-done' | 'restart'

/**
 * The command `snowhat publisher`: returns when it was told to stop, or when `max_batches` are taken. False when
 * readings are left that are not known to be in the table although a bridge was there to say so. Rejects when the outbox
 * has failed. Told to restart it begins anew, in this process: nobody has to be there who would start it again.
 */
export async function runPublisher(settings: PublisherSections, deps: PublisherRunDeps): Promise<boolean> {
  let life: Life | undefined = await begin(settings, deps)
  // Here and not where a publisher starts: the demo's outboxes are meant to be in memory.
  if (settings.publisher.outbox_dir === '')
    deps.log.warn(
      { hint: 'readings not yet in the table are lost when the publisher stops; outbox_dir keeps them on disk' },
      'the outbox is in memory',
    )
  let wellbeing = life.publisher.wellbeing
  deps.notify?.ready(() => wellbeing())
  while (life !== undefined) {
    const end = await live(life, deps)
    if (end !== 'restart') return end === 'done'
    deps.log.info('starting again')
    life = await beginAgain(settings, deps, (attempt) => {
      wellbeing = attempt
    })
    if (life !== undefined) wellbeing = life.publisher.wellbeing
  }
  return true
}

interface Life {
  readonly publisher: Publisher
  /** Told to begin another. */
  readonly restart: AbortSignal
}

async function begin(settings: PublisherSections, deps: PublisherRunDeps): Promise<Life> {
  const restart = new AbortController()
  const publisher = await startPublisher(settings, { ...deps, restart: () => restart.abort() })
  return { publisher, restart: restart.signal }
}

/** Whoever told it to restart may not be where it could be started: it tries until it can. `undefined` after a stop. */
async function beginAgain(
  settings: PublisherSections,
  deps: PublisherRunDeps,
  onAttempt: (wellbeing: () => Wellbeing) => void,
): Promise<Life | undefined> {
  const { clock, log, random, signal } = deps
  for (let attempt = 0; !signal.aborted; attempt++) {
    const begun = clock.monotonic()
    onAttempt(() => ({
      status: 'starting again',
      stuck: clock.monotonic() - begun < START_STUCK_MS ? undefined : 'starting again does not come to an end',
    }))
    try {
      return await begin(settings, deps)
    } catch (error) {
      log.error({ reason: messageOf(error), attempt }, 'cannot start again yet; trying on')
      await clock.sleep(backoffMs(attempt, START_AGAIN, random), signal).catch(() => undefined)
    }
  }
  return undefined
}

async function live({ publisher, restart }: Life, deps: PublisherRunDeps): Promise<End> {
  const ended = new AbortController()
  const signal = AbortSignal.any([deps.signal, ended.signal])
  let end: End
  try {
    await Promise.race([publisher.finished, aborted(deps.signal), aborted(restart), publisher.failed])
    if (deps.signal.aborted) end = 'done'
    else {
      if (restart.aborted) publisher.stopSampling()
      // What only memory holds does not see the next life.
      const mustDrain = !restart.aborted || !publisher.durable
      const drained = !mustDrain || (await Promise.race([drain(publisher, { ...deps, signal }), publisher.failed]))
      end = restart.aborted ? 'restart' : drained ? 'done' : 'not-done'
    }
  } finally {
    ended.abort()
    if (!restart.aborted) deps.notify?.stopping()
    await publisher.close()
  }
  // The last sync of all may be the one that fails.
  await Promise.race([publisher.failed, undefined])
  return end
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
