import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import { within } from '../src/within.ts'
import type { RetainedLedgers } from './ledger/retained-ledgers.ts'
import type { Presence } from './presence.ts'

/** A broker that is away must not keep rows from the table. */
const ANSWER_MS = 5_000

export interface RivalLookDeps {
  readonly clock: Clock
  readonly log: Log
  readonly retained: Pick<RetainedLedgers, 'info'>
  readonly presence: Pick<Presence, 'take'>
}

/**
 * Asks the broker which bridge speaks now; presence does what follows. The main connection tells that by itself, but maybe not
 * yet: a bridge that was frozen learns from Snowflake first that its channels are another's.
 */
export async function lookForRival({ clock, log, retained, presence }: RivalLookDeps): Promise<void> {
  await within(ANSWER_MS, clock, async () => {
    const info = await retained.info()
    if (info !== undefined) presence.take(info)
  }).catch((error: unknown) => log.debug({ err: error }, 'cannot ask the broker which bridge speaks'))
}
