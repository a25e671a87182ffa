import type { SnowflakeSettings } from '../../../bridge/config.ts'
import type { Destination } from '../../../bridge/routes/route.ts'
import { storedName } from '../../../bridge/snowpipe/address.ts'
import { codeOf } from '../../../bridge/snowpipe/answer.ts'
import type { PipePath } from '../../../bridge/snowpipe/client.ts'
import type { ChannelStatus } from '../../../bridge/snowpipe/status.ts'
import type { Clock } from '../../../src/clock.ts'
import { routeOfKey } from '../../../src/device-key.ts'
import { identifier, quoted, textLiteral } from '../../setup-sql/identifier.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok } from '../finding.ts'
import { rowsIfAllowed, type SignedIn, type SqlRow } from './signed-in.ts'

/** A pipe that can be streamed into, and what it says of the devices' channels. */
export interface StreamingPipe {
  readonly path: PipePath
  readonly channels: ReadonlyMap<string, ChannelStatus>
}

/** The table the pipes lead to, as it can stand in a statement. */
export interface PipeTable {
  readonly name: string
  /** Without database and schema. */
  readonly plain: string
}

/** Names in one bulk status: what every client keeps to [observed]. */
const CHUNK = 100
/** Enough to see whether a pipe was replaced. */
const MOST_CHANNELS = 500
const TABLE = 'SENSEHAT_SENSOR_DATA'
/** The default pipe of a table is called after it [documented]. */
const DEFAULT_PIPE = /^(.+)-STREAMING$/

/** Asks each pipe for the channels of the devices that are known: what the bridge does every second. */
export const pipeCheck: Check = {
  id: 'snowflake.pipe',
  side: 'bridge',
  needs: ['account'],
  after: ['heard'],
  gives: ['pipes', 'absentPipes', 'table'],
  async run(examination): Promise<Finding[]> {
    const account = examination.take('account')
    const { database, schema, pipes } = account.settings
    const table = (await tableOf(account, account.settings, examination.clock)) ?? set(account.settings)
    examination.give('table', table)
    const paths = pipes.map((pipe): PipePath => ({ database, schema, pipe }))
    const devices = askedDevices(examination.find('heard')?.ledgers)
    const results = await Promise.all(
      paths.map((path) => askPipe(account, path, { table: table.name, devices, clock: examination.clock })),
    )
    const usable = results.filter((result) => 'channels' in result)
    if (usable.length > 0) examination.give('pipes', usable)
    const absent = results.flatMap((result) => ('channels' in result || !result.isAbsent ? [] : [result.path.pipe]))
    examination.give('absentPipes', new Set(absent))
    return results.map((result) =>
      'channels' in result ? ok('snowflake.pipe', `${pipeName(result.path)} can be streamed into`) : result.finding,
    )
  },
}

/** Of the devices there are ledgers of: those of other routes go into other pipes. */
export function askedDevices(ledgers: ReadonlyMap<string, unknown> = new Map()): string[] {
  return [...ledgers.keys()].filter((device) => routeOfKey(device) === undefined).slice(0, MOST_CHANNELS)
}

export interface Asking {
  /** Where the pipe leads, for statements. */
  readonly table: string
  readonly devices: readonly string[]
  readonly clock: Clock
}

/** What is wrong with a pipe. */
export interface PipeTrouble {
  readonly path: PipePath
  readonly finding: Finding
  /** It is not there, or not to be seen, though its schema is. */
  readonly isAbsent: boolean
}

export async function askPipe(
  account: SignedIn,
  path: PipePath,
  { table, devices, clock }: Asking,
): Promise<StreamingPipe | PipeTrouble> {
  const channels = new Map<string, ChannelStatus>()
  for (let from = 0; from === 0 || from < devices.length; from += CHUNK) {
    const names = devices.slice(from, from + CHUNK)
    const outcome = await account.snowpipe.status(path, names.length === 0 ? ['doctor'] : names)
    if (outcome.verdict === 'ok') for (const [name, status] of outcome.value) channels.set(name, status)
    else {
      const code = codeOf(outcome.answer)
      const isAbsent = /^ERR_(?!DATABASE_|SCHEMA_|TABLE_|ROLE_).*DOES_NOT_EXIST/.test(code)
      const elsewhere = /DOES_NOT_EXIST/.test(code) ? await whereElse(account, path, clock) : undefined
      const finding = elsewhere ?? pipeTrouble(path, code, outcome.answer.message, table, account.settings)
      return { path, finding, isAbsent }
    }
  }
  return { path, channels }
}

/** A pipe of that name that the role can see in another schema: then the settings are wrong, and not Snowflake. */
async function whereElse(account: SignedIn, path: PipePath, clock: Clock): Promise<Finding | undefined> {
  if (DEFAULT_PIPE.test(path.pipe)) return undefined
  const plain = storedName(path.pipe)
  const shown = await rowsIfAllowed(account, `SHOW PIPES LIKE ${textLiteral(plain)} IN ACCOUNT`, clock)
  const own = [path.database, path.schema].map(identifier).join('.')
  const other = shown?.find((row) => row.name === plain && placeOf(row) !== own)
  if (other === undefined) return undefined
  return broken('snowflake.pipe', `there is no pipe ${plain} in ${own}, but one in ${placeOf(other)}`, {
    fix: `set SNOWHAT_SNOWFLAKE_DATABASE to ${other.database_name} and SNOWHAT_SNOWFLAKE_SCHEMA to ${other.schema_name}, if that is the one`,
  })
}

function placeOf({ database_name, schema_name }: SqlRow): string {
  return [database_name, schema_name].map((name) => quoted(name ?? '')).join('.')
}

function pipeTrouble(path: PipePath, code: string, said: string, table: string, settings: SnowflakeSettings): Finding {
  const name = pipeName(path)
  if (code === 'ERR_PIPE_IN_INVALID_STATE')
    return broken('snowflake.pipe', `the pipe ${name} cannot be streamed into: ${said} (${code})`, {
      why: "it has no DATA_SOURCE(TYPE => 'STREAMING'), as the first system's, or its table was replaced",
      fix: 'stop all that streams into it, and replace it. That destroys its channels: a bridge that has used it then asks for every device whether the table still has the rows',
      sql: `CREATE OR REPLACE PIPE ${name} AS\n${copyInto(table)};\n${grantPipe(name, settings)}`,
    })
  if (/^ERR_(DATABASE|SCHEMA|TABLE|ROLE)_/.test(code))
    return broken('snowflake.pipe', `the role may not stream into ${name}: ${said} (${code})`, {
      why: 'Snowflake says the same when there is none of that name',
      fix: 'snowflake.user and snowflake.grants name what is missing; otherwise correct database, schema and role in the settings',
    })
  if (/DOES_NOT_EXIST/.test(code))
    return broken('snowflake.pipe', `the pipe ${name} is not there, or the role may not see it (${code})`, {
      why: said,
      fix: 'correct database, schema and pipes in the settings; where they are right, run the statements, which change nothing that is there already',
      sql: DEFAULT_PIPE.test(path.pipe)
        ? `GRANT INSERT ON TABLE ${table} TO ROLE ${roleName(settings)};`
        : `CREATE PIPE IF NOT EXISTS ${name} AS\n${copyInto(table)};\n${grantPipe(name, settings)}`,
    })
  return broken('snowflake.pipe', `the pipe ${name} does not answer as it should: ${said} (${code})`, {
    fix: 'docs/errors.md, "What Snowflake answers"; docs/snowflake.md has the set-up',
  })
}

function copyInto(table: string): string {
  return `  COPY INTO ${table}\n  FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING'))\n  MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE`
}

function grantPipe(name: string, settings: SnowflakeSettings): string {
  return `GRANT OPERATE, MONITOR ON PIPE ${name} TO ROLE ${roleName(settings)};`
}

/** The role that streams: the configured one, or that of the set-up. */
export function roleName({ role }: SnowflakeSettings): string {
  return identifier(role === '' ? 'SENSEHAT_STREAMING_ROLE' : role)
}

export function pipeName({ database, schema, pipe }: PipePath): string {
  return [database, schema, pipe].map(identifier).join('.')
}

/** What the set-up calls it. */
function set({ database, schema }: Destination): PipeTable {
  return { name: [database, schema, TABLE].map(identifier).join('.'), plain: TABLE }
}

/** From the name of a default pipe, or the definition of the first pipe that is shown. */
export async function tableOf(
  account: SignedIn,
  { database, schema, pipes }: Destination,
  clock: Clock,
): Promise<PipeTable | undefined> {
  const place = [database, schema].map(identifier).join('.')
  for (const pipe of pipes) {
    const byDefault = DEFAULT_PIPE.exec(storedName(pipe))?.[1]
    if (byDefault !== undefined) return { name: `${place}.${quoted(byDefault)}`, plain: byDefault }
  }
  const shown = await rowsIfAllowed(account, `SHOW PIPES IN SCHEMA ${place}`, clock)
  const own = shown?.find(({ name }) => pipes.some((pipe) => pipe.toUpperCase() === name?.toUpperCase()))
  const target = /COPY\s+INTO\s+((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+)){0,2})/i.exec(own?.definition ?? '')?.[1]
  const parts = target?.match(/"[^"]+"|[\w$]+/g) ?? []
  const plain = parts.at(-1)
  if (plain === undefined) return undefined
  const named =
    parts.length === 3
      ? parts.join('.')
      : `${identifier(database)}.${parts.length === 2 ? parts[0] : identifier(schema)}.${plain}`
  return { name: named, plain: plain.replace(/^"|"$/g, '') }
}
