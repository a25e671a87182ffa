import { isIP } from 'node:net'
import type { SnowflakeSettings } from '../../bridge/config.ts'
import { readPrivateKey } from '../../bridge/snowpipe/sign-in/private-key.ts'
import { parseDuration } from '../../src/duration.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { PhonesSettings } from '../../src/phones-section.ts'
import type { Command, Flag } from '../command.ts'
import { SNOWFLAKE_CONFIG_FLAG } from '../snowflake-config-flag.ts'
import { DEFAULT_SET_UP, readScript, rendered, type ScriptFile, type SetUp } from './script.ts'

type Flags = Readonly<Record<string, string | boolean | undefined>>

/** The most a table can have [documented]. */
const MAX_PIPES = 10
const MIN_RETENTION_DAYS = 31
const DAY_MS = 86_400_000

const FLAGS: Readonly<Record<string, Flag>> = {
  ...SNOWFLAKE_CONFIG_FLAG,
  table: { type: 'string', value: 'NAME', doc: 'the table of readings; SENSEHAT_SENSOR_DATA by default' },
  'allowed-ip': {
    type: 'string',
    value: 'LIST',
    doc: 'add a network policy for these addresses, and a programmatic access token',
  },
  views: { type: 'boolean', doc: 'add the views' },
  phones: { type: 'boolean', doc: 'add the tables that phones go to, and their views' },
  alerts: {
    type: 'boolean',
    doc: 'add the views, and alerts for gaps and silent devices (they cost: docs/snowflake.md)',
  },
  retention: { type: 'string', value: 'TIME', doc: 'add a task that deletes readings older than this, such as 400d' },
  upgrade: { type: 'boolean', doc: "print what brings the first system's table and pipe here, and nothing else" },
  teardown: { type: 'boolean', doc: 'print what removes all of it, readings included, and nothing else' },
}

export const setupSqlCommand: Command = {
  name: 'setup-sql',
  summary: 'prints the Snowflake set-up for this configuration',
  own: 'snowflake',
  uses: ['phones', 'log'],
  flags: FLAGS,
  examples: [
    ['snowhat setup-sql', 'with the public half of the configured key'],
    ['snowhat setup-sql --pipes 10 --views', 'for a large fleet: SENSEHAT_STREAMING_PIPE_00 to _09, and the views'],
    ['snowhat setup-sql --allowed-ip 192.0.2.7', 'for a programmatic access token'],
    ['snowhat setup-sql --upgrade', 'for the table and pipe of the first system'],
  ],
  async load() {
    return async ({ settings, flags, log, print }) => {
      const setUp = setUpOf(settings, flags)
      const texts: string[] = []
      for (const file of filesFor(flags)) texts.push(rendered(await readScript(file), setUp).trimEnd())
      print(texts.join('\n\n'))
      if (setUp.publicKey === undefined && setUp.allowedIps.length === 0 && filesFor(flags).includes('setup'))
        log.warn(
          {
            hint: 'snowhat keys new makes a key; then set SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE to it, and print this again',
          },
          'no key is configured: put the public key in the place of the mark, or Snowflake refuses the statement',
        )
      if (setUp.pipes.length > 1)
        log.info(`the bridge must know the pipes: SNOWHAT_SNOWFLAKE_PIPES=${setUp.pipes.join(',')}`)
      return 0
    }
  },
}

export function filesFor(flags: Flags): ScriptFile[] {
  const asked = (['upgrade', 'teardown'] as const).filter((name) => flags[name] === true)
  if (asked.length > 1) throw new SnowhatError('E_USAGE', 'either --upgrade or --teardown, not both')
  if (asked.length === 1) return asked
  return [
    'setup',
    ...(flags['allowed-ip'] === undefined ? [] : (['token'] as const)),
    ...(flags.views === true || flags.alerts === true ? (['views'] as const) : []),
    ...(flags.phones === true ? (['phones'] as const) : []),
    ...(flags.alerts === true ? (['alerts'] as const) : []),
    ...(flags.retention === undefined ? [] : (['retention'] as const)),
  ]
}

/** What a set-up follows from. */
export interface SetUpSettings {
  readonly snowflake: SnowflakeSettings
  readonly phones: PhonesSettings
}

export function setUpOf({ snowflake, phones }: SetUpSettings, flags: Flags): SetUp {
  const { database, pipes, role, schema, user } = snowflake
  return {
    database,
    schema,
    user,
    role: role === '' ? DEFAULT_SET_UP.role : role,
    phones,
    table: typeof flags.table === 'string' ? flags.table : DEFAULT_SET_UP.table,
    pipes: pipesOf(pipes),
    publicKey: publicKeyOf(snowflake),
    allowedIps: allowedIpsOf(flags['allowed-ip']),
    retentionDays: retentionDaysOf(flags.retention),
  }
}

/** A list of names, or how many: `10` is SENSEHAT_STREAMING_PIPE_00 to _09. */
function pipesOf(configured: readonly string[]): readonly string[] {
  const [only = ''] = configured
  const names = configured.length === 1 && /^\d+$/.test(only) ? numbered(Number(only)) : configured
  if (names.length < 1 || names.length > MAX_PIPES)
    throw new SnowhatError('E_CONFIG_INVALID', `a table has 1 to ${MAX_PIPES} pipes, not ${only || '0'}`)
  return names
}

function numbered(count: number): string[] {
  const [name = ''] = DEFAULT_SET_UP.pipes
  if (count === 1) return [name]
  return Array.from({ length: Math.min(count, MAX_PIPES + 1) }, (_, i) => `${name}_${String(i).padStart(2, '0')}`)
}

function publicKeyOf({ oauth_token, pat, private_key, private_key_passphrase }: SnowflakeSettings): string | undefined {
  if (private_key === '' || pat !== '' || oauth_token !== '') return undefined
  const { publicKey } = readPrivateKey(private_key, private_key_passphrase)
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
}

function allowedIpsOf(flag: Flags[string]): readonly string[] {
  const ranges = typeof flag === 'string' ? flag.split(',').map((range) => range.trim()) : []
  for (const range of ranges) {
    const [address = '', bits = '32', ...more] = range.split('/')
    if (isIP(address) !== 4 || !/^\d+$/.test(bits) || Number(bits) > 32 || more.length > 0)
      throw new SnowhatError('E_USAGE', `--allowed-ip ${range} is no IPv4 address or range such as 192.0.2.0/24`)
  }
  return ranges
}

function retentionDaysOf(flag: Flags[string]): number {
  if (typeof flag !== 'string') return DEFAULT_SET_UP.retentionDays
  const days = (parseDuration(flag) ?? Number.NaN) / DAY_MS
  if (!Number.isInteger(days) || days < MIN_RETENTION_DAYS)
    throw new SnowhatError(
      'E_USAGE',
      `--retention ${flag} is no whole number of days such as 400d, ${MIN_RETENTION_DAYS} at least`,
    )
  return days
}
