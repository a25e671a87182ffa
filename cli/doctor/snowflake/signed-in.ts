import type { SnowflakeSettings } from '../../../bridge/config.ts'
import type { Snowpipe } from '../../../bridge/snowpipe/client.ts'
import type { Identity } from '../../../bridge/snowpipe/credentials.ts'
import { runStatement } from '../../../bridge/snowpipe/sql.ts'
import type { Clock } from '../../../src/clock.ts'

/** Who has signed in, and what can be asked then. */
export interface SignedIn {
  /** The account in the form that works. */
  readonly settings: SnowflakeSettings
  readonly identity: Identity
  readonly snowpipe: Snowpipe
}

/** A row of a result, by column in lower case. */
export type SqlRow = Readonly<Record<string, string | null>>

/** Throws `E_SQL`. */
export async function rowsOf({ settings, identity }: SignedIn, statement: string, clock: Clock): Promise<SqlRow[]> {
  const { columns, rows } = await runStatement(settings, statement, clock, identity)
  const names = columns.map(({ name }) => name.toLowerCase())
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i] ?? null])))
}

/** The same; undefined when this role may not ask, or there is no warehouse to do it. */
export function rowsIfAllowed(account: SignedIn, statement: string, clock: Clock): Promise<SqlRow[] | undefined> {
  return rowsOf(account, statement, clock).catch(() => undefined)
}
