import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { noAnswer } from '../../../bridge/snowpipe/answer.ts'
import { createIdentity } from '../../../bridge/snowpipe/credentials.ts'
import { renewalOf } from '../../../bridge/snowpipe/sign-in/expiry.ts'
import { fingerprint } from '../../../bridge/snowpipe/sign-in/private-key.ts'
import type { SnowhatError } from '../../../src/errors.ts'
import { snowflakeSettings } from '../../support/bridge-settings.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' = 'pkcs8') => key.export({ type, format: 'pem' }).toString()
const encrypted = rsa.privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString()

const encryptedPkcs1 = rsa.privateKey
  .export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString()

const signedIn = (over: Parameters<typeof snowflakeSettings>[0] = {}) =>
  snowflakeSettings({
    account: 'acme-my_acct',
    user: 'sensehat_streaming_user',
    private_key: pem(rsa.privateKey),
    ...over,
  })

function refusal(over: Parameters<typeof snowflakeSettings>[0]): SnowhatError {
  try {
    createIdentity(signedIn(over), new ManualClock())
  } catch (error) {
    return error as SnowhatError
  }
  throw new Error('the key was taken')
}

describe('a key pair', () => {
  it('signs a JWT that its public key verifies, with the names Snowflake wants', async () => {
    const clock = new ManualClock()
    const { token, kind } = await createIdentity(signedIn(), clock).credential()
    const { payload, protectedHeader } = await jwtVerify(token, rsa.publicKey, { currentDate: new Date(clock.now()) })
    const now = clock.now() / 1000
    expect(kind).toBe('KEYPAIR_JWT')
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT' })
    expect(payload.sub).toBe('ACME-MY_ACCT.SENSEHAT_STREAMING_USER')
    expect(payload.iss).toBe(`ACME-MY_ACCT.SENSEHAT_STREAMING_USER.${fingerprint(rsa.publicKey)}`)
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(3_600)
    expect(payload.iat).toBeLessThan(now)
    expect(payload.iat).toBeGreaterThanOrEqual(now - 60)
    expect(payload.exp).toBeGreaterThan(now + 1_800)
  })

  it('has the fingerprint openssl computes', () => {
    const der = execFileSync('openssl', ['rsa', '-pubin', '-outform', 'DER'], {
      input: rsa.publicKey.export({ type: 'spki', format: 'pem' }),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const hash = execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: der })
    expect(fingerprint(rsa.publicKey)).toBe(`SHA256:${hash.toString('base64')}`)
  })

  it.each([
    ['encrypted', encrypted, 'open sesame'],
    ['in PKCS#1', pem(rsa.privateKey, 'pkcs1'), ''],
    ['with Windows line ends', pem(rsa.privateKey).replaceAll('\n', '\r\n'), ''],
    ['without a line break at the end', pem(rsa.privateKey).trimEnd(), ''],
    ['after a byte order mark', `\uFEFF${pem(rsa.privateKey)}`, ''],
    ['after its public half', rsa.publicKey.export({ type: 'spki', format: 'pem' }) + pem(rsa.privateKey), ''],
    ['in one line', pem(rsa.privateKey).replaceAll('\n', ' '), ''],
    ['with its line breaks written out', pem(rsa.privateKey).replaceAll('\n', '\\n'), ''],
    ['with blanks before each line', encrypted.replace(/^/gm, '    '), 'open sesame'],
    ['encrypted in PKCS#1', encryptedPkcs1, 'open sesame'],
  ])('may be %s', async (_what, private_key, private_key_passphrase) => {
    const { token } = await createIdentity(
      signedIn({ private_key, private_key_passphrase }),
      new ManualClock(),
    ).credential()
    expect(
      (await jwtVerify(token, createPublicKey(rsa.privateKey), { currentDate: new Date(new ManualClock().now()) }))
        .payload.sub,
    ).toBeDefined()
  })

  it('made by openssl, encrypted, is read', () => {
    const made = execFileSync('openssl', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'pass:x'], {
      input: pem(rsa.privateKey),
      stdio: ['pipe', 'pipe', 'ignore'],
    }).toString()
    expect(() =>
      createIdentity(signedIn({ private_key: made, private_key_passphrase: 'x' }), new ManualClock()),
    ).not.toThrow()
  })

  it.each([
    ['a public key', { private_key: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString() }, 'public key'],
    ['no PEM at all', { private_key: 'MIIEvQIBADANBg' }, 'no PEM private key'],
    ['DER', { private_key: rsa.privateKey.export({ type: 'pkcs8', format: 'der' }).toString() }, '-inform DER'],
    ['a key of ssh', { private_key: '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==' }, 'ssh-keygen -p -m PKCS8'],
    ['an encrypted key without a passphrase', { private_key: encrypted }, 'passphrase is missing'],
    [
      'an encrypted key and the wrong passphrase',
      { private_key: encrypted, private_key_passphrase: 'open barley' },
      'passphrase is wrong (',
    ],
    [
      'an encrypted key and a passphrase with a blank behind it',
      { private_key: encrypted, private_key_passphrase: 'open sesame ' },
      'begins or ends with a blank',
    ],
    [
      'a key that was cut',
      { private_key: `${pem(rsa.privateKey).slice(0, 900)}\n-----END PRIVATE KEY-----\n` },
      'it is damaged',
    ],
    ['a short key', { private_key: pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey) }, '1024 bits'],
    ['a key of another kind', { private_key: pem(generateKeyPairSync('ed25519').privateKey) }, 'ed25519'],
  ])('is refused in words when it is %s', (_what, over, words) => {
    const error = refusal(over)
    expect(error.code).toBe('E_KEY_INVALID')
    expect(error.message).toContain(words)
    expect(`${error.message} ${error.hint}`).not.toContain('open barley')
  })

  it('that is missing says which variables name it', () => {
    const error = refusal({ private_key: '' })
    expect(error.code).toBe('E_CONFIG_INVALID')
    expect(error.hint).toContain('SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE')
    expect(error.hint).toContain('SNOWHAT_SNOWFLAKE_PAT_FILE')
  })

  it('is made up for an emulator, which takes any, and for nobody else', async () => {
    const identity = createIdentity(signedIn({ private_key: '', url: 'http://127.0.0.1:8085' }), new ManualClock())
    expect((await identity.credential()).kind).toBe('KEYPAIR_JWT')
    expect(refusal({ private_key: '', url: 'https://acme.snowflakecomputing.com' }).code).toBe('E_CONFIG_INVALID')
  })

  it('keeps its JWT while that lives, renews it in time, and makes a new one when told that it is not taken', async () => {
    const clock = new ManualClock()
    const identity = createIdentity(signedIn(), clock)
    const first = await identity.credential()
    await clock.advance(30 * 60_000)
    expect(await identity.credential()).toBe(first)
    await clock.advance(19 * 60_000)
    const second = await identity.credential()
    expect(second.token).not.toBe(first.token)
    await jwtVerify(second.token, rsa.publicKey, { currentDate: new Date(clock.now()) })
    clock.stall(1_000)
    await identity.refused(noAnswer(''))
    expect((await identity.credential()).token).not.toBe(second.token)
  })
})

describe('a programmatic access token', () => {
  it.each([
    ['a JWT with an end', async () => new SignJWT({}).setExpirationTime(1_800_000_000), 1_800_000_000_000],
    ['a JWT without one', async () => new SignJWT({}), null],
    ['a JWT that never ends', async () => new SignJWT({ exp: 1e18 }), null],
  ] as const)('that is %s says when it expires, verified by nobody', async (_what, jwt, expiresAt) => {
    const pat = await (await jwt()).setProtectedHeader({ alg: 'RS256' }).sign(rsa.privateKey)
    expect(createIdentity(signedIn({ pat }), new ManualClock()).expiresAt).toBe(expiresAt)
  })

  it.each(['opaque', 'a.b.c', ''])('of which nothing can be read (%j) says nothing of its end', (pat) => {
    expect(createIdentity(signedIn({ pat }), new ManualClock()).expiresAt).toBeNull()
  })

  it.each([
    ['two lines', 'pat-secret\nanother', 'more than one word'],
    ['a zero in it', 'pat-secret\0', 'more than one word'],
    ['letters that no header can carry', 'pat-sécret', 'characters that no token has'],
  ])('with %s is refused in words, before anything is sent, and not shown', (_what, pat, words) => {
    const error = refusal({ pat, pat_file: '/run/secrets/pat' })
    expect(error.code).toBe('E_CONFIG_INVALID')
    expect(error.message).toContain(words)
    expect(error.message).toContain('/run/secrets/pat')
    expect(`${error.message} ${error.hint}`).not.toContain(pat.slice(4))
  })

  it('is used as it is, wins over a key, and is not exchanged', async () => {
    const identity = createIdentity(signedIn({ pat: 'pat-secret' }), new ManualClock())
    expect(identity.exchanged).toBe(false)
    expect(await identity.credential()).toEqual({ token: 'pat-secret', kind: 'PROGRAMMATIC_ACCESS_TOKEN' })
  })
})

describe('a scoped token', () => {
  const now = Date.UTC(2026, 10, 22, 12)
  const living = (seconds: number) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(now / 1000 + seconds)
      .sign(Buffer.alloc(32))

  it.each([
    [3_600, 0.8 * 3_600],
    [600, 480],
    [120, 60],
    [61, 1],
    [30, 0],
    [-10, 0],
  ])('that lives %i s is renewed after %i s', async (seconds, after) => {
    expect((renewalOf(await living(seconds), now) - now) / 1000).toBeCloseTo(after, 6)
  })

  it.each(['opaque', 'a.b.c', ''])('that cannot be read (%j) is taken to live ten minutes', (token) => {
    expect(renewalOf(token, now) - now).toBe(480_000)
  })
})
