import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runStatement } from '../../bridge/snowpipe/sql.ts'
import type { Finding, FindingId } from '../../cli/doctor/finding.ts'
import { emulatorSection } from '../../emulator/config.ts'
import { type Emulator, startEmulator } from '../../emulator/emulator.ts'
import { skewedClock } from '../../emulator/skewed-clock.ts'
import { statementsOf } from '../../emulator/statement-text.ts'
import { systemClock } from '../../src/clock.ts'
import { loadSettings } from '../../src/config.ts'
import { silentLog } from '../../src/log.ts'
import { snowflakeSettings } from '../support/bridge-settings.ts'
import { snowhat as command } from '../support/command.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import {
  describeWithMosquitto,
  type MosquittoProcess,
  makeCertificates,
  openMosquitto,
} from '../support/mosquitto-process.ts'
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

/** In this process: a start of Node takes longer than what is looked at here. One below is a process of its own. */
async function doctor(
  env: Environment,
  ...args: string[]
): Promise<Result & { readonly code: number; readonly out: string }> {
  const { code, out, err } = await command(['doctor', '--json', ...args], env)
  expect(err).toBe('')
  return { code, out, ...(JSON.parse(out) as Result) }
}

function brokenIn({ findings }: Result, group: string): string[] {
  return findings
    .filter(({ id, status }) => status === 'broken' && id.startsWith(group))
    .map(({ id, what }) => `${id}: ${what}`)
}

let directory = ''
let emulator: Emulator
let account: Environment
let nobody = ''
let registered = ''
/** Milliseconds the emulator's clock is ahead. */
let ahead = 0

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
    { ...defaults, port: 0, data: join(directory, 'warehouse'), commit_delay: 50, account: ACCOUNT },
    { clock: skewedClock(systemClock(), () => ahead), log: silentLog() },
  )
  cleanUp(() => emulator.close())
  const { file, publicKey } = key('registered')
  registered = publicKey
  await sql(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '${publicKey}'`)
  account = {
    SNOWHAT_MQTT_URL: nobody,
    SNOWHAT_SNOWFLAKE_URL: emulator.url,
    SNOWHAT_SNOWFLAKE_ACCOUNT: ACCOUNT,
    SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file,
    // What its disk is like is no matter here, and takes time.
    SNOWHAT_SPOOL_DIR: '',
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
      ahead = -2 * 86_400_000
      const [made] = await sql(
        `ALTER USER ${USER} ADD PROGRAMMATIC ACCESS TOKEN OLD ROLE_RESTRICTION = '${ROLE}' DAYS_TO_EXPIRY = 1`,
      ).finally(() => {
        ahead = 0
      })
      return {
        SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: '',
        SNOWHAT_SNOWFLAKE_PAT_FILE: secretFile('old.pat', tokenIn(made)),
      }
    },
    finds: 'snowflake.sign-in',
    fix: /make a new one/,
    puts: async ({ sql: statement = '' }) => {
      const [made] = await sql(statement)
      return { SNOWHAT_SNOWFLAKE_PAT_FILE: secretFile('new.pat', tokenIn(made)) }
    },
  },
  {
    what: 'no right to put rows into the table',
    breaks: async () => void (await sql(`REVOKE INSERT ON TABLE ${TABLE} FROM ROLE ${ROLE}`)),
    finds: 'snowflake.grants',
    fix: /SECURITYADMIN/,
    puts: 'sql',
  },
  {
    what: 'a role that was given nothing',
    breaks: async () =>
      void (await sql(`REVOKE USAGE ON DATABASE DEMO FROM ROLE ${ROLE}; REVOKE USAGE ON SCHEMA DEMO.DEMO FROM ROLE ${ROLE};
        REVOKE INSERT, SELECT ON TABLE ${TABLE} FROM ROLE ${ROLE}; REVOKE OPERATE, MONITOR ON PIPE ${PIPE} FROM ROLE ${ROLE}`)),
    finds: 'snowflake.grants',
    fix: /SECURITYADMIN/,
    puts: 'sql',
  },
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
    what: 'a user that streams as PUBLIC',
    breaks: async () => void (await sql(`ALTER USER ${USER} UNSET DEFAULT_ROLE`)),
    finds: 'snowflake.user',
    fix: /default/,
    puts: 'sql',
  },
  {
    what: 'a role that is not there',
    breaks: async () => ({ SNOWHAT_SNOWFLAKE_ROLE: 'NO_SUCH_ROLE' }),
    finds: 'snowflake.user',
    fix: /leave it empty/,
    puts: async () => ({ SNOWHAT_SNOWFLAKE_ROLE: '' }),
  },
  {
    what: 'a schema that does not have the pipe',
    breaks: async () => ({ SNOWHAT_SNOWFLAKE_SCHEMA: 'OTHER' }),
    finds: 'snowflake.pipe',
    fix: /SNOWHAT_SNOWFLAKE_SCHEMA to DEMO,/,
    puts: async () => ({ SNOWHAT_SNOWFLAKE_SCHEMA: 'DEMO' }),
  },
  {
    what: 'a proxy that is not there',
    breaks: async () => ({ SNOWHAT_SNOWFLAKE_PROXY: nobody.replace('mqtt:', 'http:') }),
    finds: 'snowflake.reach',
    fix: /SNOWHAT_SNOWFLAKE_PROXY/,
    puts: async () => ({ SNOWHAT_SNOWFLAKE_PROXY: '' }),
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

/** What stands in the files that are named, as a line of it would be in JSON. */
function secretsOf(env: Environment): string[] {
  const files = Object.entries(env).flatMap(([name, value]) => (name.endsWith('_FILE') && value !== '' ? [value] : []))
  return files.map((file) => readFileSync(file, 'utf8').trim().split('\n').at(-2) ?? readFileSync(file, 'utf8').trim())
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
    expect(canary).toMatchObject({
      status: 'ok',
      what: expect.stringMatching(/in the table after [\d.]+ s, and was read back/),
    })
    const [rows] = await sql(`SELECT COUNT(*) FROM ${TABLE} WHERE uuid LIKE 'doctor-canary-%'`)
    expect(rows?.rows).toEqual([['1']])
    const [channels] = await sql(`SHOW CHANNELS IN PIPE ${PIPE}`)
    expect(channels?.rows).toEqual([])
  })

  it('shows how a key that has no column would get one, and its statements are right', async () => {
    await sql(`INSERT INTO ${TABLE} (uuid, hostname, extra) SELECT 'x-1', 'x', '{"co2_ppm": 612}'`)
    const extra = async () =>
      (await doctor(account, '--bridge', '--no-canary')).findings.find(({ id }) => id === 'snowflake.extra')
    const finding = await extra()
    expect(finding).toMatchObject({
      status: 'ok',
      what: expect.stringContaining('co2_ppm (1 rows, NUMBER, such as 612)'),
    })
    await sql(finding?.sql ?? '')
    const [rows] = await sql(`SELECT co2_ppm FROM ${TABLE} WHERE hostname = 'x'`)
    expect(rows?.rows).toEqual([['612']])
  })

  it('finds several at once, and the statements of all of them are right as they are printed', async () => {
    const route = join(directory, 'weather.yaml')
    writeFileSync(
      route,
      'name: weather\ntopic: weather/+/now\ntable: WEATHER\ncolumns: { temperature: number, wind: json }\n',
    )
    const env = {
      ...account,
      SNOWHAT_ROUTES_FILES: route,
      SNOWHAT_SNOWFLAKE_PIPES: 'SENSEHAT_STREAMING_PIPE,SECOND_PIPE',
    }
    await sql(`ALTER TABLE ${TABLE} DROP COLUMN humidity; ALTER TABLE ${TABLE} SET ERROR_LOGGING = FALSE;
      ALTER TABLE ${TABLE} ADD COLUMN inserted TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP()`)
    const sick = await doctor(env, '--bridge', '--no-canary')
    const told = (status: string) =>
      sick.findings.filter((finding) => finding.status === status && finding.id.startsWith('snowflake'))
    expect(told('broken').map(({ id, what }) => `${id}: ${what}`)).toEqual([
      expect.stringMatching(/^snowflake\.pipe: the pipe DEMO\.DEMO\.SECOND_PIPE is not there/),
      expect.stringMatching(/^snowflake\.columns: .* lacks humidity$/),
      expect.stringMatching(/^snowflake\.routes: weather: rows cannot get into DEMO\.DEMO\.WEATHER$/),
    ])
    expect(told('warn').map(({ id }) => id)).toEqual(['snowflake.default', 'snowflake.error-table'])
    for (const { sql: statements = '' } of [...told('broken'), ...told('warn')]) await sql(statements)
    const well = (await doctor(env, '--bridge')).findings.filter(({ id }) => id.startsWith('snowflake'))
    expect(well.filter(({ status }) => status === 'broken' || status === 'warn')).toEqual([])
    expect(well).toContainEqual(expect.objectContaining({ id: 'snowflake.routes', status: 'ok' }))
  })

  it('finds what is missing and what is there twice', async () => {
    const row = (uuid: string, seq: number) =>
      `INSERT INTO ${TABLE} (uuid, hostname, stream, seq, ts, datetimestamp) SELECT '${uuid}', 'lost', 'abcdefgh', ${seq}, 1, CURRENT_TIMESTAMP()`
    await sql([row('l-1', 1), row('l-4', 4), row('l-4', 4)].join(';'))
    const { findings } = await doctor(account, '--bridge', '--no-canary')
    expect(findings.find(({ id }) => id === 'snowflake.gaps')).toMatchObject({
      status: 'broken',
      what: '2 readings missing and not declared, 1 reading there more than once',
    })
    await sql(`DELETE FROM ${TABLE} WHERE hostname = 'lost'`)
  })

  it.each(CASES)('finds $what, and its fix is right', async ({ breaks, finds, fix, puts }) => {
    const env = { ...account, ...(await breaks()) }
    const sick = await doctor(env, '--bridge', '--no-canary')
    expect(sick.code).toBe(1)
    const finding = sick.findings.find(({ id, status }) => id === finds && status === 'broken')
    expect(finding, brokenIn(sick, '').join('\n')).toBeDefined()
    expect(finding?.fix).toMatch(fix)
    for (const { sql: statements = '' } of sick.findings) expect(statements).not.toMatch(/TO ROLE PUBLIC/)
    const repaired = puts === 'sql' ? void (await sql(finding?.sql ?? '')) : await puts(finding as Finding, env)
    // What was mended in Snowflake must let a row through, too.
    const well = await doctor({ ...env, ...repaired }, '--bridge', ...(puts === 'sql' ? [] : ['--no-canary']))
    expect(brokenIn(well, 'snowflake')).toEqual([])
    for (const secret of secretsOf({ ...env, ...repaired })) expect(sick.out + well.out).not.toContain(secret)
    // The next case begins with the registered key.
    await sql(`ALTER USER ${USER} SET RSA_PUBLIC_KEY = '${registered}'; ALTER USER ${USER} UNSET NETWORK_POLICY`)
  })
})

describeWithMosquitto('the doctor and the broker', () => {
  let broker: MosquittoProcess
  let certificates = ''
  let tlsUrl = ''
  const users = ['bridge', 'pi-attic', 'homeassistant', 'admin']

  const as = (user: string, more: Environment = {}): Environment => ({
    SNOWHAT_MQTT_URL: broker.url,
    SNOWHAT_MQTT_USERNAME: user,
    SNOWHAT_MQTT_PASSWORD_FILE: broker.passwordFile(user),
    SNOWHAT_SNOWFLAKE_URL: 'http://127.0.0.1:9',
    SNOWHAT_SPOOL_DIR: '',
    ...more,
  })

  beforeAll(async () => {
    const ports = await freePorts('plain', 'tls')
    const home = temporaryDirectory(cleanUp)
    certificates = join(home, 'certificates')
    mkdirSync(certificates)
    makeCertificates(certificates, ['bridge'], { NAMES: '127.0.0.1 localhost' })
    broker = await openMosquitto({
      directory: home,
      port: ports.plain,
      users,
      tls: { directory: certificates, port: ports.tls },
    })
    await broker.start()
    cleanUp(() => broker.kill('SIGTERM'))
    tlsUrl = `mqtts://localhost:${ports.tls}`
  })

  it('finds nothing broken where each signs in as who it is, and leaves nothing there', async () => {
    const bridge = await doctor(as('bridge'), '--bridge')
    expect(brokenIn(bridge, 'broker')).toEqual([])
    const well = ['sign-in', 'session', 'retained', 'persistence', 'queue', 'access-missing', 'access-excess']
    for (const name of well)
      expect(bridge.findings, name).toContainEqual(expect.objectContaining({ id: `broker.${name}`, status: 'ok' }))
    const pi = await doctor(as('pi-attic', { SNOWHAT_PUBLISHER_HOSTNAME: 'pi-attic' }), '--pi')
    expect(brokenIn(pi, 'broker')).toEqual([])
    expect(pi.findings).toContainEqual(expect.objectContaining({ id: 'broker.access-missing', status: 'ok' }))
    expect(pi.findings).toContainEqual(expect.objectContaining({ id: 'broker.access-excess', status: 'ok' }))
    expect(await retainedAt(broker)).toEqual([])
  })

  const trouble: readonly {
    readonly what: string
    readonly env: () => Environment
    readonly args: string
    readonly finds: FindingId
    readonly fix: RegExp
  }[] = [
    {
      what: 'a wrong password',
      env: () => as('bridge', { SNOWHAT_MQTT_PASSWORD_FILE: secretFile('wrong', 'hunter2-hunter2') }),
      args: '--bridge',
      finds: 'broker.sign-in',
      fix: /deploy\/mosquitto-users\.sh/,
    },
    {
      what: 'no user at all',
      env: () => ({ SNOWHAT_MQTT_URL: broker.url, SNOWHAT_SNOWFLAKE_URL: 'http://127.0.0.1:9' }),
      args: '--bridge',
      finds: 'broker.sign-in',
      fix: /SNOWHAT_MQTT_USERNAME/,
    },
    {
      what: 'another CA than the one that signed',
      env: () => as('bridge', { SNOWHAT_MQTT_URL: tlsUrl, SNOWHAT_MQTT_CA_FILE: otherCa() }),
      args: '--bridge',
      finds: 'broker.tls',
      fix: /^set SNOWHAT_MQTT_CA_FILE to the CA that signed/,
    },
    {
      what: 'access rules of another user, which are too narrow for a bridge',
      env: () => as('homeassistant'),
      args: '--bridge',
      finds: 'broker.access-missing',
      fix: /topic readwrite sensehat\/bridge\/#/,
    },
    {
      what: 'the same where MQTT 3.1.1 says nothing',
      env: () => as('homeassistant', { SNOWHAT_MQTT_PROTOCOL: '3.1.1' }),
      args: '--bridge',
      finds: 'broker.access-missing',
      fix: /topic readwrite sensehat\/bridge\/#/,
    },
    {
      what: "a Pi that signs in with another Pi's name",
      env: () => as('pi-attic', { SNOWHAT_PUBLISHER_HOSTNAME: 'pi-cellar' }),
      args: '--pi',
      finds: 'broker.access-missing',
      fix: /sign in as pi-cellar/,
    },
  ]

  // Each is a doctor of its own that mostly waits for the broker.
  it.concurrent.each(trouble)('finds $what', async ({ env, args, finds, fix }) => {
    const { code, out, findings } = await doctor(env(), args)
    expect(code).toBe(1)
    expect(findings.find(({ id, status }) => id === finds && status === 'broken')?.fix).toMatch(fix)
    expect(out).not.toContain('hunter2')
  })

  it('leaves nothing at a broker that refuses it something either', async () => {
    expect(await retainedAt(broker)).toEqual([])
  })

  it('takes a certificate of the right CA', async () => {
    const files = join(certificates, 'clients/bridge')
    const ours = {
      SNOWHAT_MQTT_CA_FILE: join(files, 'ca.crt'),
      SNOWHAT_MQTT_CERT_FILE: join(files, 'client.crt'),
      SNOWHAT_MQTT_KEY_FILE: join(files, 'client.key'),
    }
    const env = as('bridge', { SNOWHAT_MQTT_URL: tlsUrl, ...ours })
    const result = await doctor(env, '--bridge')
    expect(brokenIn(result, 'broker')).toEqual([])
    expect(result.findings).toContainEqual(
      expect.objectContaining({ id: 'broker.tls', status: 'ok', what: expect.stringContaining('localhost') }),
    )
  })

  it('warns of a broker that forgets, where it runs on this machine', async () => {
    const forgetful = await openMosquitto({
      directory: temporaryDirectory(),
      port: await freePort(),
      users: ['bridge'],
      override: { persistence: 'false', max_queued_messages: '1000' },
    })
    await forgetful.start()
    try {
      const env = {
        ...as('bridge'),
        SNOWHAT_MQTT_URL: forgetful.url,
        SNOWHAT_MQTT_PASSWORD_FILE: forgetful.passwordFile('bridge'),
      }
      const { findings } = await doctor(env, '--bridge')
      const fixes = findings.filter(({ status }) => status === 'warn').map(({ id, fix }) => `${id}: ${fix}`)
      expect(fixes).toContainEqual(expect.stringMatching(/^broker\.persistence: set persistence true/))
      expect(fixes).toContainEqual(expect.stringMatching(/^broker\.queue: set max_queued_messages/))
    } finally {
      await forgetful.kill('SIGTERM')
    }
  })

  it('finds a pipe that was replaced while a bridge used it', async () => {
    const env = {
      ...account,
      ...as('bridge'),
      SNOWHAT_SNOWFLAKE_URL: emulator.url,
      SNOWHAT_HTTP_PORT: '0',
      SNOWHAT_BATCH_MAX_AGE_MS: '200',
    }
    const bridge = snowhat(['bridge'], { env })
    await bridge.line(/connected to the broker/)
    await publishAs('pi-attic', 'sensehat/pi-attic/readings', '{"stream":"abcdefgh","seq":1,"temperature":20}')
    await eventually('the reading in the table', async () => {
      const [rows] = await sql(`SELECT COUNT(*) FROM ${TABLE} WHERE hostname = 'pi-attic'`)
      return rows?.rows[0]?.[0] === '1'
    })
    // The ledger that names the channel follows the commit.
    await eventually('a doctor that knows the channel, and finds nothing broken', async () => {
      const result = await doctor(env, '--bridge', '--no-canary')
      expect(brokenIn(result, '')).toEqual([])
      return result.findings.some(({ id, status }) => id === 'snowflake.pipe-replaced' && status === 'ok')
    })
    await sql(`CREATE OR REPLACE PIPE ${PIPE} AS COPY INTO ${TABLE} FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING'))
      MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE; GRANT OPERATE, MONITOR ON PIPE ${PIPE} TO ROLE ${ROLE}`)
    const { code, stdout } = await run(['doctor', '--bridge', '--no-canary'], { env })
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /✗ snowflake\.pipe-replaced +the channels of pi-attic are not those the bridge knows\n.*\n.*snowhat ledger pi-attic --keep/,
    )
    bridge.kill('SIGTERM')
    await bridge.ended()
  })

  it('ends at Ctrl-C within moments, with what it has found', async () => {
    const doctorProgram = snowhat(['doctor', '--bridge'], { env: as('bridge') })
    await doctorProgram.line(/broker\.address/)
    doctorProgram.kill('SIGINT')
    const { signal, stdout } = await doctorProgram.ended()
    expect(signal).toBeNull()
    expect(stdout).toMatch(/not looked at/)
  })

  async function publishAs(user: string, topic: string, payload: string): Promise<void> {
    const password = readFileSync(broker.passwordFile(user), 'utf8').trim()
    const client = await connectAsync(broker.url, { username: user, password })
    await client.publishAsync(topic, payload, { qos: 1 })
    await client.endAsync()
  }

  function otherCa(): string {
    const other = temporaryDirectory(cleanUp)
    makeCertificates(other, [], { NAMES: 'localhost' })
    return join(other, 'ca/ca.crt')
  }
})

/** Topics with a retained message that is the doctor's. */
async function retainedAt(broker: MosquittoProcess): Promise<string[]> {
  const topics: string[] = []
  const client = await connectAsync(broker.url, {
    username: 'admin',
    password: readFileSync(broker.passwordFile('admin'), 'utf8').trim(),
  })
  client.on('message', (topic, _payload, { retain }) => {
    if (retain && topic.includes('doctor')) topics.push(topic)
  })
  await client.subscribeAsync(['sensehat/#', 'homeassistant/#'])
  // Its own marker comes behind all that is retained.
  const marked = new Promise((resolve) =>
    client.on('message', (topic) => topic === 'sensehat/bridge/response/end' && resolve(topic)),
  )
  await client.publishAsync('sensehat/bridge/response/end', 'end')
  await marked
  await client.endAsync()
  return topics
}
