import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runStatement } from '../../bridge/snowpipe/sql.ts'
import type { Finding, FindingId } from '../../cli/doctor/finding.ts'
import { emulatorSection } from '../../emulator/config.ts'
import { type Emulator, startEmulator } from '../../emulator/emulator.ts'
import { statementsOf } from '../../emulator/statement-text.ts'
import { systemClock } from '../../src/clock.ts'
import { loadSettings } from '../../src/config.ts'
import { silentLog } from '../../src/log.ts'
import { snowflakeSettings } from '../support/bridge-settings.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { describeWithMosquitto, type MosquittoProcess, makeCertificates, openMosquitto } from '../support/mosquitto-process.ts'
import { freePort, freePorts } from '../support/ports.ts'
import { run, snowhat } from '../support/program.ts'

const ACCOUNT = 'MYORG-MY_ACCT'
const USER = 'SENSEHAT_STREAMING_USER'
const ROLE = 'SENSEHAT_STREAMING_ROLE'
const PIPE = 'DEMO.DEMO.SENSEHAT_STREAMING_PIPE'
const TABLE = 'DEMO.DEMO.SENSEHAT_SENSOR_DATA'

const closing: (() => void | Promise<void>)[] = []
const cleanUp: CleanUp = (close) => closing.unshift(close)

type Environment = Readonly<Record<string, string>>

interface Result {
  readonly findings: readonly Finding[]
  readonly broken: number
}

/** A doctor of its own process, as a person calls it. */
async function doctor(env: Environment, ...args: string[]): Promise<Result & { readonly code: number | null; readonly out: string }> {
  const { code, stdout, stderr } = await run(['doctor', '--json', ...args], { env })
  expect(stderr).toBe('')
  return { code, out: stdout, ...(JSON.parse(stdout) as Result) }
}

function brokenIn({ findings }: Result, group: string): string[] {
  return findings.filter(({ id, status }) => status === 'broken' && id.startsWith(group)).map(({ id, what }) => `${id}: ${what}`)
}

let directory = ''
let emulator: Emulator
let account: Environment
let nobody = ''

function key(name: string): { file: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const file = join(directory, `${name}.p8`)
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return { file, publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') }
}

/** As a user nobody has made: the emulator lets it do everything. */
async function sql(script: string) {
  const results = []
  const settings = snowflakeSettings({ url: emulator.url, account: ACCOUNT, user: 'SOMEBODY' })
  for (const { text } of statementsOf(script)) results.push(await runStatement(settings, text, systemClock()))
  return results
}

async function faults(...given: readonly object[]): Promise<void> {
  const answer = await fetch(`${emulator.url}/emulator/faults`, { method: 'POST', body: JSON.stringify(given) })
  expect(answer.status).toBe(200)
}

beforeAll(async () => {
  directory = temporaryDirectory(cleanUp)
  nobody = `mqtt://127.0.0.1:${await freePort()}`
  const { emulator: defaults } = await loadSettings({ emulator: emulatorSection }, { env: {}, args: new Map() })
  emulator = await startEmulator(
    { ...defaults, port: 0, data: join(directory, 'warehouse'), commit_delay: 200, account: ACCOUNT },
    { clock: systemClock(), log: silentLog() },
  )
  cleanUp(() => emulator.close())
  const { file, publicKey } = key('registered')
  await sql(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '${publicKey}'`)
  account = {
    SNOWHAT_MQTT_URL: nobody,
    SNOWHAT_SNOWFLAKE_URL: emulator.url,
    SNOWHAT_SNOWFLAKE_ACCOUNT: ACCOUNT,
    SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file,
  }
})

afterAll(async () => {
  for (const close of closing) await close()
})

/** What is broken, what the doctor calls it, a word of its fix, and how a person who does what it says puts it right. */
interface Case {
  readonly what: string
  readonly breaks: () => Promise<Environment | undefined>
  readonly finds: FindingId
  readonly fix: RegExp
  /** `sql`: its statements are run as they stand; otherwise what else is done. */
  readonly puts: 'sql' | ((finding: Finding, broken: Environment) => Promise<Environment | undefined>)
}

const CASES: readonly Case[] = [
  {
    what: 'another key than the registered one',
    breaks: async () => ({ SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: key('other').file }),
    finds: 'snowflake.sign-in',
    fix: /RSA_PUBLIC_KEY_FP/,
    puts: 'sql',
  },
  {
    what: 'an account with a dot where a hyphen belongs',
    breaks: async () => ({ SNOWHAT_SNOWFLAKE_ACCOUNT: 'myorg.my_acct' }),
    finds: 'snowflake.account',
    fix: /MYORG-MY_ACCT$/,
    puts: async ({ fix = '' }) => ({ SNOWHAT_SNOWFLAKE_ACCOUNT: fix.split(' ').at(-1) ?? '' }),
  },
  {
    what: 'an account copied from an address, where underscores are hyphens',
    breaks: async () => ({ SNOWHAT_SNOWFLAKE_ACCOUNT: 'https://myorg-my-acct.snowflakecomputing.com' }),
    finds: 'snowflake.account',
    fix: /MYORG-MY_ACCT$/,
    puts: async ({ fix = '' }) => ({ SNOWHAT_SNOWFLAKE_ACCOUNT: fix.split(' ').at(-1) ?? '' }),
  },
  {
    what: 'a programmatic access token that has expired',
    breaks: async () => {
      await sql(`CREATE NETWORK POLICY IF NOT EXISTS HERE ALLOWED_IP_LIST = ('127.0.0.1');
        ALTER USER ${USER} SET NETWORK_POLICY = HERE`)
      await faults({ action: 'skew-clock', by: '-2d' })
      const [made] = await sql(
        `ALTER USER ${USER} ADD PROGRAMMATIC ACCESS TOKEN OLD ROLE_RESTRICTION = '${ROLE}' DAYS_TO_EXPIRY = 1`,
      ).finally(() => faults())
      return { SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: '', SNOWHAT_SNOWFLAKE_PAT_FILE: secretFile('old.pat', tokenIn(made)) }
    },
    finds: 'snowflake.sign-in',
    fix: /make a new one/,
    puts: async ({ sql: statement = '' }) => {
      const [made] = await sql(statement)
      return { SNOWHAT_SNOWFLAKE_PAT_FILE: secretFile('new.pat', tokenIn(made)) }
    },
  },
  ...['INSERT ON TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA', 'USAGE ON SCHEMA DEMO.DEMO', 'USAGE ON DATABASE DEMO', `OPERATE ON PIPE ${PIPE}`].map(
    (privilege): Case => ({
      what: `no ${privilege}`,
      breaks: async () => void (await sql(`REVOKE ${privilege} FROM ROLE ${ROLE}`)),
      finds: 'snowflake.grants',
      fix: /SECURITYADMIN/,
      puts: 'sql',
    }),
  ),
  {
    what: "the first system's pipe",
    breaks: async () =>
      void (await sql(`CREATE OR REPLACE PIPE ${PIPE} AS COPY INTO ${TABLE};
        GRANT OPERATE, MONITOR ON PIPE ${PIPE} TO ROLE ${ROLE}`)),
    finds: 'snowflake.pipe',
    fix: /replace it/,
    puts: 'sql',
  },
  {
    what: 'no pipe',
    breaks: async () => void (await sql(`DROP PIPE ${PIPE}`)),
    finds: 'snowflake.pipe',
    fix: /run the statements/,
    puts: 'sql',
  },
  {
    what: 'a clock an hour off',
    breaks: async () => void (await faults({ action: 'skew-clock', by: '1h' })),
    finds: 'snowflake.clock',
    fix: /set-ntp/,
    puts: async () => void (await faults()),
  },
]

function secretFile(name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, `${text}\n`, { mode: 0o600 })
  return file
}

function tokenIn(result: Awaited<ReturnType<typeof sql>>[number] | undefined): string {
  const column = result?.columns.findIndex(({ name }) => name.toLowerCase() === 'token_secret') ?? -1
  return result?.rows[0]?.[column] ?? ''
}

describe('the doctor and the account', () => {
  it('finds nothing broken where nothing is, sends a row out and hears it back', async () => {
    const result = await doctor(account, '--bridge')
    expect(brokenIn(result, 'snowflake')).toEqual([])
    const canary = result.findings.find(({ id }) => id === 'snowflake.canary')
    expect(canary).toMatchObject({ status: 'ok', what: expect.stringMatching(/in the table after [\d.]+ s, and was read back/) })
    const [rows] = await sql(`SELECT COUNT(*) FROM ${TABLE} WHERE hostname = 'doctor-canary'`)
    expect(rows?.rows).toEqual([['1']])
    const [channels] = await sql(`SHOW CHANNELS IN PIPE ${PIPE}`)
    expect(channels?.rows).toEqual([])
  })

  it.each(CASES)('finds $what, and its fix is right', async ({ breaks, finds, fix, puts }) => {
    const env = { ...account, ...(await breaks()) }
    const sick = await doctor(env, '--bridge')
    expect(sick.code).toBe(1)
    const finding = sick.findings.find(({ id, status }) => id === finds && status === 'broken')
    expect(finding, brokenIn(sick, '').join('\n')).toBeDefined()
    expect(finding?.fix).toMatch(fix)
    const repaired = puts === 'sql' ? void (await sql(finding?.sql ?? '')) : await puts(finding as Finding, env)
    const well = await doctor({ ...env, ...repaired }, '--bridge')
    expect(brokenIn(well, 'snowflake')).toEqual([])
    for (const name of ['SNOWHAT_SNOWFLAKE_PAT_FILE', 'SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE'])
      if (env[name as keyof typeof env]) expect(sick.out + well.out).not.toContain('PRIVATE KEY-----')
    // The next case begins with the registered key.
    const { publicKey, file } = key('registered')
    await sql(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '${publicKey}'; ALTER USER ${USER} UNSET NETWORK_POLICY`)
    account = { ...account, SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file }
  })
})
