import type { Account, Session } from '../access/session.ts'
import { valueOfText } from '../dialect.ts'
import { qualified } from '../names.ts'
import { unsupported } from '../sql-refusal.ts'
import type { TokenReader } from '../statement-text.ts'
import type { NameContext } from '../statements/definition.ts'
import { takeIdentifier, takeName, takeSchemaName } from '../statements/names.ts'
import { showGrants, showParameters, showTokens } from './access.ts'
import { LISTINGS, type Row } from './objects.ts'
import { likeness, type Shown, shown } from './table-of.ts'

/** A channel as SHOW CHANNELS tells of it. */
export interface ChannelRow {
  readonly createdOn: number
  readonly name: string
  readonly database: string
  readonly schema: string
  readonly pipe: string
  readonly clientSequencer: string
  readonly rowSequencer: string
  readonly offsetToken: string | null
}

export interface ShowDeps {
  readonly account: Account
  readonly session: Session
  readonly context: NameContext
  readonly now: number
  readonly channels: () => Promise<ChannelRow[]>
}

const CHANNEL_COLUMNS = [
  'created_on',
  'name',
  'database_name',
  'schema_name',
  'table_name',
  'client_sequencer',
  'row_sequencer',
  'offset_token',
  'parent_name',
  'parent_domain',
]

/** `SHOW …`, behind its first word: a list, perhaps LIKE a pattern, IN a place [documented]. */
export async function show(reader: TokenReader, deps: ShowDeps): Promise<Shown> {
  const { account, context, now, session } = deps
  if (reader.skip('GRANTS')) return showGrants(reader, account, session, context)
  if (reader.skip('USER', 'PROGRAMMATIC', 'ACCESS', 'TOKENS') || reader.skip('USER', 'PATS'))
    return showTokens(reader, account, session, now)
  reader.skip('TERSE')
  const what = reader.skip('NETWORK', 'POLICIES') ? 'NETWORK POLICIES' : reader.take().text.toUpperCase()
  const isLike = likeness(reader.skip('LIKE') ? valueOfText(reader.take().text) : undefined)
  if (what === 'PARAMETERS') return filtered(showParameters(reader, account, session), 'key', isLike)
  if (what === 'CHANNELS') return shown(CHANNEL_COLUMNS, within(await channelRows(deps), reader, context, isLike))
  const listing = LISTINGS[what]
  if (listing === undefined) throw unsupported(`SHOW ${what}.`)
  return shown(listing.columns, within(listing.rows(account, session), reader, context, isLike))
}

function filtered({ columns, rows }: Shown, column: string, isLike: (name: string) => boolean): Shown {
  const at = columns.indexOf(column)
  return { columns, rows: rows.filter((row) => isLike(String(row[at]))) }
}

/** Those whose name is like the pattern, and that are in the place behind IN. */
function within(
  rows: readonly Row[],
  reader: TokenReader,
  context: NameContext,
  isLike: (name: string) => boolean,
): Row[] {
  const inPlace = placeOf(reader, context)
  return rows.filter((row) => isLike(String(row.name)) && inPlace(row))
}

function placeOf(reader: TokenReader, context: NameContext): (row: Row) => boolean {
  if (!reader.skip('IN') || reader.skip('ACCOUNT')) return () => true
  if (reader.skip('DATABASE')) {
    const database = reader.done ? context.database : takeIdentifier(reader)
    return (row) => row.database_name === database
  }
  for (const [word, column] of [
    ['TABLE', 'table_name'],
    ['VIEW', 'table_name'],
    ['PIPE', 'parent_name'],
  ] as const)
    if (reader.skip(word)) {
      const wanted = qualified(takeName(reader, context))
      return (row) => `${row.database_name}.${row.schema_name}.${row[column]}` === wanted
    }
  reader.skip('SCHEMA')
  const { database, schema } = reader.done ? context : takeSchemaName(reader, context)
  return (row) => row.database_name === database && (row.schema_name ?? schema) === schema
}

async function channelRows({ account, channels, session }: ShowDeps): Promise<Row[]> {
  const rows = await channels()
  return rows.flatMap(({ database, name, pipe, schema, ...row }) => {
    const known = account.catalog.pipe({ database, schema, name: pipe })
    const isSeen =
      known && (session.sees('PIPE', `${database}.${schema}.${pipe}`) || session.sees('TABLE', qualified(known.table)))
    if (!isSeen) return []
    return [
      {
        created_on: row.createdOn,
        name,
        database_name: database,
        schema_name: schema,
        table_name: known.table.name,
        client_sequencer: row.clientSequencer,
        row_sequencer: row.rowSequencer,
        offset_token: row.offsetToken,
        parent_name: pipe,
        parent_domain: 'PIPE',
      },
    ]
  })
}
