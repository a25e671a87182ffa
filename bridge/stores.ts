import { Lifecycle } from '../src/lifecycle.ts'
import type { BridgeDeps } from './bridge.ts'
import type { CostSettings, SpoolSettings } from './config.ts'
import type { DeadLetters } from './dead-letters/dead-letters.ts'
import { openDeadLetters } from './dead-letters/open-dead-letters.ts'
import { openSpool } from './spool/open-spool.ts'
import type { Spool } from './spool/spool.ts'
import { openToday, type TodayKeeper } from './status/today-keeper.ts'

/** What of a bridge outlives it, where its settings name a directory. */
export interface Stores {
  readonly spool: Spool
  readonly deadLetters: DeadLetters
  readonly today: TodayKeeper
}

/** The spool first: its lock keeps a second bridge out of the directory. */
export async function openStores(settings: SpoolSettings, cost: CostSettings, deps: BridgeDeps): Promise<Stores> {
  const life = new Lifecycle()
  try {
    const spool = life.own('spool', await openSpool(settings, deps), (opened) => opened.close())
    const today = await openToday(settings.dir, { ...deps, cost })
    return { spool, today, deadLetters: await openDeadLetters(settings, deps) }
  } catch (error) {
    await life.close()
    throw error
  }
}
