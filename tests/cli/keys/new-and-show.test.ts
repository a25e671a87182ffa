import { createPrivateKey, createPublicKey } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { userInJwt } from '../../../bridge/snowpipe/account.ts'
import { setKey } from '../../../cli/keys/alter-user.ts'
import { quoted } from '../../../cli/setup-sql/identifier.ts'
import { DEFAULT_SET_UP, readScript, rendered } from '../../../cli/setup-sql/script.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { keys } from './keys.ts'
import { fingerprintOf } from './slotted-account.ts'

const body = (file: string, passphrase?: string) =>
  createPublicKey(createPrivateKey({ key: readFileSync(file), ...(passphrase !== undefined && { passphrase }) }))

describe('snowhat keys new', () => {
  it('makes a key its owner alone may read, and prints the statement that registers its public half', async () => {
    const file = join(temporaryDirectory(), 'key.p8')
    const { code, out } = await keys(['new', file, '--user', 'pi_fleet'])
    const publicKey = body(file)
    expect(code).toBe(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    expect(out).toContain(
      `ALTER USER PI_FLEET SET RSA_PUBLIC_KEY='${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}';`,
    )
    expect(out).toContain(fingerprintOf(publicKey))
    expect(out).not.toContain('PRIVATE KEY---')
  })

  it('encrypts it with the passphrase of the settings, and shows that nowhere', async () => {
    const directory = temporaryDirectory()
    const [file, words] = [join(directory, 'key.p8'), join(directory, 'words')]
    writeFileSync(words, 'open sesame\n')
    const env = { SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE: words }
    const { code, out, err } = await keys(['new', file, '--encrypt', '--json', '--bits', '3072'], env)
    expect(code).toBe(0)
    expect(readFileSync(file, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    expect(JSON.parse(out)).toMatchObject({
      file,
      form: 'encrypted PKCS#8',
      bits: 3072,
      fingerprint: fingerprintOf(body(file, 'open sesame')),
    })
    expect(out + err).not.toContain('sesame')
  })

  it('never writes over anything', async () => {
    const file = join(temporaryDirectory(), 'key.p8')
    writeFileSync(file, 'something dear')
    const { code, err } = await keys(['new', file])
    expect([code, readFileSync(file, 'utf8')]).toEqual([1, 'something dear'])
    expect(err).toContain('is there already')
  })

  it.each([
    ['where nobody can be asked for a passphrase', ['new', '--encrypt', 'FILE'], 'no terminal'],
    ['with a number of bits there is not', ['new', '--bits', '1024', 'FILE'], '2048, 3072, 4096'],
    ['with another action', ['nwe'], 'did you mean new?'],
    ['with no action', [], 'wants new, show, check or rotate'],
    ['with a flag of another action', ['new', '--wait', '1m', 'FILE'], 'takes no --wait'],
    ['with two files', ['new', 'FILE', 'other'], 'takes no other'],
  ])('is bad usage %s, and makes nothing', async (_what, argv, words) => {
    const file = join(temporaryDirectory(), 'key.p8')
    const { code, err } = await keys(argv.map((word) => (word === 'FILE' ? file : word)))
    expect([code, existsSync(file)]).toEqual([2, false])
    expect(err).toContain(words)
  })

  it('names any user so that the statement means that user and nothing else', () => {
    const { publicKey } = { publicKey: body(madeKey()) }
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((user) => userInJwt(user) !== ''),
        (user) => {
          const statement = setKey(user, 'RSA_PUBLIC_KEY_2', publicKey)
          const [, name = ''] = /^ALTER USER (.*) SET RSA_PUBLIC_KEY_2='[A-Za-z0-9+/=]+';$/s.exec(statement) ?? []
          const read = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
          expect(read).toBe(userInJwt(user))
          expect(name).toMatch(/^([A-Z_][A-Z0-9_$]*|"([^"]|"")*")$/s)
        },
      ),
    )
  })

  it.each([
    ['sensehat', 'SENSEHAT'],
    ['"pi.fleet"', '"PI.FLEET"'],
    ["müller.o'neil", '"MÜLLER.O\'NEIL"'],
    ['select', '"SELECT"'],
    ['a"b', '"A""B"'],
  ])('of the user %s names the one that setup-sql makes and the JWT bears', async (user, written) => {
    const setup = await readScript('setup')
    expect(setKey(user, 'RSA_PUBLIC_KEY', body(madeKey()))).toContain(`ALTER USER ${written} SET`)
    expect(rendered(setup, { ...DEFAULT_SET_UP, user })).toContain(`CREATE USER IF NOT EXISTS ${written}\n`)
    expect(quoted(userInJwt(user))).toBe(written)
  })
})

function madeKey(): string {
  const file = join(temporaryDirectory(), 'key.p8')
  writeFileSync(file, KEY)
  chmodSync(file, 0o640)
  return file
}

const KEY = await import('node:crypto').then(({ generateKeyPairSync }) =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
)

describe('snowhat keys show', () => {
  it('tells form, bits, fingerprint and the statement of the key in use, and who else may read it', async () => {
    const file = madeKey()
    const { code, out } = await keys(['show', '--json'], { SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file })
    const shown = JSON.parse(out)
    expect(code).toBe(0)
    expect(shown).toMatchObject({
      form: 'PKCS#1',
      bits: 2048,
      others_may_read: true,
      fingerprint: fingerprintOf(body(file)),
    })
    expect((await keys(['show', file])).out).toContain(shown.statement)
    expect((await keys(['show', file, '--public'])).out).toBe(body(file).export({ type: 'spki', format: 'pem' }))
  })

  it('of a token tells what kind it is and when it ends, and nothing of the token', async () => {
    const token = `e30.${Buffer.from('{"exp":1800000000}').toString('base64url')}.signature`
    const env = { SNOWHAT_SNOWFLAKE_ACCOUNT: 'acme-prod1', SNOWHAT_SNOWFLAKE_PAT: token }
    const { out } = await keys(['show', '--json'], env)
    expect(JSON.parse(out)).toEqual({ kind: 'pat', file: null, expires_at: '2027-01-15T08:00:00.000Z' })
    const people = await keys(['show'], { ...env, SNOWHAT_SNOWFLAKE_PAT: 'opaque-token' })
    expect(people.out).toContain('programmatic access token')
    expect(people.out).not.toContain('opaque-token')
  })

  it('without a key says how to make one', async () => {
    const { code, err } = await keys(['show'])
    expect(code).toBe(78)
    expect(err).toContain('snowhat keys new')
  })
})
