import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { describeWithMosquitto, type MosquittoProcess, openMosquitto } from '../support/mosquitto-process.ts'
import { freePorts } from '../support/ports.ts'
import { snowhat } from '../support/program.ts'

const PASSPHRASE = 'passphrase-that-opens-sesame'
const PAT = 'pat-that-nobody-may-see'
const OAUTH = 'oauth-that-nobody-may-see'
const HTTP_TOKEN = 'token-of-the-page-that-nobody-may-see'

/** What a person runs while looking for what is wrong. */
const COMMANDS = [
  ['keys', 'new'],
  ['keys', 'check'],
  ['keys', 'show', '--json'],
  ['keys', 'rotate'],
  ['query', 'select nonsense'],
]

const USERS = ['bridge', 'admin', 'pi-one']

/** What bears a secret without being one of ours: a JWT that was signed, and a token that came for it. */
const SIGNED = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/

interface World {
  readonly broker: MosquittoProcess
  readonly emulator: Readonly<Record<string, string>>
  readonly directory: string
  /** All that must not be seen, by what it is. */
  readonly secrets: Readonly<Record<string, string>>
  /** Settings by what they sign in with. */
  readonly credentials: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly bridge: Readonly<Record<string, string>>
  readonly page: string
}

/** One out of the middle of a PEM. */
function lineOf(pem: string | Buffer): string {
  return pem.toString().split('\n')[9] ?? ''
}

async function world(): Promise<World> {
  const directory = temporaryDirectory()
  const ports = await freePorts('broker', 'emulator', 'page')
  const broker = await openMosquitto({ directory: temporaryDirectory(), port: ports.broker, users: USERS })
  onTestFinished(() => broker.kill('SIGKILL'))
  await broker.start()
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = pair().privateKey
  const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
  const registered = file('registered.pub', pair().publicKey.export({ type: 'spki', format: 'pem' }).toString())
  const password = readFileSync(broker.passwordFile('bridge'), 'utf8').trim()
  return {
    broker,
    directory,
    page: `http://127.0.0.1:${ports.page}`,
    emulator: {
      SNOWHAT_EMULATOR_PORT: String(ports.emulator),
      SNOWHAT_EMULATOR_DATA: join(directory, 'warehouse'),
      SNOWHAT_EMULATOR_PAT: PAT,
      // Another key than that of the bridge: it is refused.
      SNOWHAT_EMULATOR_USER_KEY: `SENSEHAT_STREAMING_USER=${registered}`,
      SNOWHAT_LOG_LEVEL: 'trace',
    },
    secrets: {
      'private key': lineOf(key.export({ type: 'pkcs8', format: 'pem' })),
      'encrypted private key': lineOf(pem),
      passphrase: PASSPHRASE,
      'programmatic access token': PAT,
      'OAuth token': OAUTH,
      'MQTT password': password,
      'token of the page': HTTP_TOKEN,
    },
    credentials: {
      'a key that is refused': {
        SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file('key.p8', pem.toString()),
        SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE: file('words', PASSPHRASE),
      },
      'a programmatic access token that is taken': { SNOWHAT_SNOWFLAKE_PAT_FILE: file('pat', `${PAT}\n`) },
      'an OAuth token that is refused': { SNOWHAT_SNOWFLAKE_OAUTH_TOKEN: OAUTH },
    },
    bridge: {
      SNOWHAT_MQTT_URL: broker.url,
      SNOWHAT_MQTT_USERNAME: 'bridge',
      SNOWHAT_MQTT_PASSWORD_FILE: broker.passwordFile('bridge'),
      SNOWHAT_SNOWFLAKE_URL: `http://127.0.0.1:${ports.emulator}`,
      SNOWHAT_SNOWFLAKE_ACCOUNT: 'acme-prod1',
      SNOWHAT_HTTP_PORT: String(ports.page),
      SNOWHAT_HTTP_TOKEN: HTTP_TOKEN,
      SNOWHAT_BATCH_MAX_AGE_MS: '100',
      SNOWHAT_BRIDGE_DRAIN: '100ms',
      SNOWHAT_LOG_LEVEL: 'trace',
    },
  }
}

/** Arguments of every process there is, as any user of the machine sees them. */
function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .join('\n')
}

/** All a bridge tells over HTTP. */
async function told(page: string): Promise<string> {
  const paths = [
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/health',
    '/api/devices',
    '/api/devices/pi-one',
    '/api/fleet',
  ]
  const texts = await Promise.all(paths.map(async (path) => `${path}\n${await (await fetch(`${page}${path}`)).text()}`))
  return texts.join('\n')
}

describeWithMosquitto('secrets', () => {
  it('are in no log, no answer, no metric, no retained message and no process argument, whatever goes wrong', async () => {
    const { bridge: env, broker, credentials, emulator, page, secrets } = await world()
    const seen = new Map<string, string>()
    const as = (user: string) =>
      mqtt.connectAsync(broker.url, {
        username: user,
        password: readFileSync(broker.passwordFile(user), 'utf8').trim(),
      })
    const [admin, pi] = [await as('admin'), await as('pi-one')]
    onTestFinished(async () => {
      await Promise.all([admin.endAsync(true), pi.endAsync(true)])
    })
    admin.on('message', (topic, payload) => seen.set(`topic ${topic}`, payload.toString()))
    await admin.subscribeAsync(['sensehat/#', 'homeassistant/#'], { qos: 1 })
    const warehouse = snowhat(['emulator'], { env: emulator })
    await warehouse.line(/the emulator is running/)

    for (const [name, credential] of Object.entries(credentials)) {
      const all = { ...env, ...credential }
      const bridge = snowhat(['bridge'], { env: all })
      await bridge.line(/connected to the broker/)
      await pi.publishAsync('sensehat/pi-one/readings', '{"temperature":21.5}', { qos: 1 })
      await bridge.line(name.includes('refused') ? /Snowflake refuses rows/ : /a channel is open/)
      const others = COMMANDS.map((argv) => [argv.join(' '), snowhat(argv, { env: all })] as const)
      seen.set(`${name}: arguments`, commandLines())
      seen.set(`${name}: HTTP`, await told(page))
      for (const [command, program] of others) {
        const { stdout, stderr } = await program.ended(60_000)
        seen.set(`${name}: ${command}`, stdout + stderr)
      }
      bridge.kill('SIGTERM')
      const { stdout, stderr } = await bridge.ended(60_000)
      seen.set(`${name}: bridge`, stdout + stderr)
    }
    warehouse.kill('SIGTERM')
    const { stdout, stderr } = await warehouse.ended()
    seen.set('emulator', stdout + stderr)

    // What is looked through is what it should be.
    await eventually('retained messages', () => seen.has('topic sensehat/bridge/health'))
    const everything = [...seen.values()].join('\n')
    for (const word of [
      'dist/cli/snowhat.js',
      'snowhat_snowflake_requests_total',
      'Snowflake refuses rows',
      'E_SIGN_IN',
      'SHA256:',
      '"level":20',
    ])
      expect(everything, word).toContain(word)
    for (const [where, text] of seen) {
      for (const [what, secret] of Object.entries(secrets))
        expect(text.includes(secret), `${what} in ${where}`).toBe(false)
      expect(text, `a private key in ${where}`).not.toContain('PRIVATE KEY-----')
      expect(SIGNED.exec(text)?.[0], `a signed token in ${where}`).toBeUndefined()
    }
  })
})
