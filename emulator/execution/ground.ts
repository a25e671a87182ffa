import type { Clock } from '../../src/clock.ts'
import type { Account, Session } from '../access/session.ts'
import type { ObjectName } from '../names.ts'
import type { Warehouse } from '../warehouse.ts'

/** What statements work on. */
export interface Ground {
  readonly account: Account
  readonly warehouse: Warehouse
  readonly clock: Clock
  /** Forgets the channels of these pipes with their offset tokens. */
  readonly loseChannels: (pipes: readonly ObjectName[]) => Promise<void>
  /** Runs it while nobody else writes. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>
}

/** A statement's surroundings. */
export interface Circumstances {
  readonly session: Session
  readonly database: string
  readonly schema: string
  /** A set-up file at start: it brings tables up to date, and may hold a placeholder in the place of a key. */
  readonly atStart: boolean
}

/** What a statement answers: a sentence, or rows. */
export type Outcome =
  | string
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] }
