import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { freePort } from '../support/ports.ts'
import { type Ended, run, snowhat } from '../support/program.ts'

/** One sentence with its code, perhaps a second line with what to do; nothing on stdout, no stack. */
function expectWords({ stdout, stderr }: Ended, sentence: RegExp, hint?: RegExp): void {
  expect(stdout).toBe('')
  const [first = '', second, ...more] = stderr.trimEnd().split('\n')
  const [, said = ''] = /^snowhat: (.+) \(E_[A-Z_]+\)$/.exec(first) ?? []
  expect(said, first).toMatch(sentence)
  if (hint !== undefined) expect(second ?? '').toMatch(hint)
  expect(more).toEqual([])
}

function fileWith(name: string, text: string): string {
  const file = join(temporaryDirectory(), name)
  writeFileSync(file, text)
  return file
}

const pem = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const encrypted = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
})

describe('a mistyped command line is bad usage, exit 2', () => {
  it('names the nearest command', async () => {
    const ended = await run(['brige'])
    expect(ended.code).toBe(2)
    expectWords(ended, /no command brige$/, /bridge/)
  })

  it('names the nearest option', async () => {
    const ended = await run(['bridge', '--mqt-url', 'mqtt://nas'])
    expect(ended.code).toBe(2)
    expectWords(ended, /no option --mqt-url$/, /--mqtt-url/)
  })

  it.each([
    ['a word too many', ['bridge', 'now']],
    ['an option without its value', ['bridge', '--mqtt-url']],
    ['an unknown short option', ['demo', '-Z']],
    ['a query without a statement', ['query']],
  ])('says what is wrong with %s', async (_what, args) => {
    const ended = await run(args)
    expect(ended.code).toBe(2)
    expectWords(ended, /./, /./)
  })

  it('shows the commands when none is given', async () => {
    const ended = await run([])
    expect(ended.code).toBe(2)
    expect(ended.stdout).toContain('snowhat demo')
  })
})

describe('--help needs nothing and exits 0', () => {
  it.each(['demo', 'publisher', 'bridge', 'emulator', 'query', 'ledger'])(
    '%s --help shows examples and options',
    async (name) => {
      const ended = await run([name, '--help'])
      expect(ended).toMatchObject({ code: 0, stderr: '' })
      expect(ended.stdout).toContain(`snowhat ${name}`)
      expect(ended.stdout).toContain('Examples')
      expect(ended.stdout).toContain('--config FILE')
    },
  )

  it.each([['--help'], ['help'], ['-h'], ['--version']])('%s', async (word) => {
    expect(await run([word])).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('a bad configuration ends every command with 78', () => {
  it('names the setting an unknown SNOWHAT_ variable was meant to be', async () => {
    const ended = await run(['bridge'], { env: { SNOWHAT_MQTT_ULR: 'mqtt://nas' } })
    expect(ended.code).toBe(78)
    expectWords(ended, /unknown environment variable SNOWHAT_MQTT_ULR$/, /SNOWHAT_MQTT_URL/)
  })

  it.each([
    ['a file that is not there', () => '/nowhere/snowhat.yaml', /cannot read the configuration file \/nowhere/],
    ['a directory', () => temporaryDirectory(), /cannot read the configuration file/],
    ['broken YAML', () => fileWith('broken.yaml', 'mqtt: {url: ['), /cannot read the configuration file/],
    ['no sections', () => fileWith('list.yaml', '- 1\n'), /must hold sections/],
    ['an unknown section', () => fileWith('s.yaml', 'mqt: {url: "mqtt://nas"}'), /unknown section "mqt"/],
    ['an unknown setting', () => fileWith('k.yaml', 'mqtt: {ulr: "mqtt://nas"}'), /unknown setting "mqtt\.ulr"/],
    ['a value that is not of its kind', () => fileWith('v.yaml', 'http: {port: many}'), /http\.port/],
  ])('explains --config with %s', async (_what, file, sentence) => {
    const ended = await run(['bridge', '--config', file()])
    expect(ended.code).toBe(78)
    expectWords(ended, sentence)
  })

  it('refuses a number that is none, and names the option', async () => {
    const ended = await run(['bridge', '--http-port', 'many'])
    expect(ended.code).toBe(78)
    expectWords(ended, /http\.port/)
  })

  it('names what is missing where there is no Sense HAT, and does not simulate one', async () => {
    // No machine has that many buses; a machine that never compiled i2c-bus is told so first.
    const ended = await run(['publisher', '--i2c-bus', '250'])
    expect(ended.code).toBe(1)
    expectWords(ended, /Sense HAT/, /--simulate|npm install i2c-bus/)
  })

  it('proposes a name when the hostname cannot be a device key', async () => {
    const ended = await run(['publisher', '--simulate', '--hostname', 'Pi.Attic'])
    expect(ended.code).toBe(78)
    expectWords(ended, /"Pi\.Attic"/, /"pi-attic"/)
  })

  it('explains a snowflake_config.json that cannot be read', async () => {
    const ended = await run(['bridge', '-c', '/nowhere/snowflake_config.json'])
    expect(ended.code).toBe(78)
    expectWords(ended, /cannot read \/nowhere\/snowflake_config\.json/)
  })

  it('explains a CA file that cannot be read', async () => {
    const ended = await run(['bridge', '--http-port', '0'], { env: { SNOWHAT_MQTT_CA_FILE: '/nowhere/ca.pem' } })
    expect(ended.code).toBe(78)
    expectWords(ended, /cannot read the CA file \/nowhere\/ca\.pem/)
  })
})

describe.each(['bridge', 'query'])('a credential that cannot be used ends snowhat %s with 78', (command) => {
  const args = command === 'query' ? ['query', 'select 1'] : ['bridge', '--http-port', '0']
  const withKey = (file: string, more: Record<string, string> = {}) =>
    run(args, {
      env: { SNOWHAT_SNOWFLAKE_ACCOUNT: 'ACME-PROD', SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file, ...more },
    })

  it('a key file that is not there', async () => {
    const ended = await withKey('/nowhere/key.p8')
    expect(ended.code).toBe(78)
    expectWords(ended, /cannot read \/nowhere\/key\.p8/, /SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE/)
  })

  it.each([
    ['a file that is no key', 'not a key\n', /no PEM private key/],
    ['a public key', pem.publicKey, /public key/],
    ['an encrypted key without its passphrase', encrypted.privateKey, /encrypted/],
    [
      'a key that is too short',
      generateKeyPairSync('rsa', { modulusLength: 1024 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
      /1024 bits/,
    ],
    [
      'an elliptic key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      /\bec\b.*RSA/,
    ],
  ])('%s', async (_what, text, sentence) => {
    const ended = await withKey(fileWith('key.p8', text))
    expect(ended.code).toBe(78)
    expectWords(ended, sentence, /./)
  })

  it('the wrong passphrase', async () => {
    const ended = await withKey(fileWith('key.p8', encrypted.privateKey), {
      SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: 'wrong',
    })
    expect(ended.code).toBe(78)
    expectWords(ended, /passphrase/)
    expect(ended.stderr).not.toContain('wrong-')
  })

  it('a key and no account', async () => {
    const ended = await run(args, {
      env: { SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: fileWith('key.p8', pem.privateKey) },
    })
    expect(ended.code).toBe(78)
    expectWords(ended, /no Snowflake account/, /SNOWHAT_SNOWFLAKE_ACCOUNT/)
  })

  it('an account and no key', async () => {
    const ended = await run(args, { env: { SNOWHAT_SNOWFLAKE_ACCOUNT: 'ACME-PROD' } })
    expect(ended.code).toBe(78)
    expectWords(ended, /no key/, /SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE/)
  })
})

describe('what is not there is said, exit 1', () => {
  it('query says that nobody answers where the emulator should be', async () => {
    const ended = await run(['query', 'select 1', '--url', `http://127.0.0.1:${await freePort()}`])
    expect(ended.code).toBe(1)
    expectWords(ended, /cannot reach http:\/\/127\.0\.0\.1/, /emulator/)
  })

  it('a bridge and a publisher without a broker go on trying, say so, and stop when told to', async () => {
    const url = `mqtt://127.0.0.1:${await freePort()}`
    const programs = [
      snowhat(['bridge', '--mqtt-url', url, '--http-port', '0']),
      snowhat(['publisher', '--simulate', '--hostname', 'pi-one', '--mqtt-url', url]),
    ]
    for (const program of programs) {
      await program.line(/cannot reach the MQTT broker/)
      program.kill('SIGTERM')
    }
    for (const program of programs) expect(await program.ended(10_000)).toMatchObject({ code: 0 })
  })
})
