import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../support/directory.ts'
import { keys } from './keys.ts'
import { fingerprintOf, SlottedAccount } from './slotted-account.ts'

/** Made once: each takes a while. */
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ofOthers = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey

async function configured(options: { passphrase?: string; describes?: boolean } = {}) {
  const account = await SlottedAccount.start()
  account.describes = options.describes ?? true
  const directory = temporaryDirectory()
  const file = join(directory, 'key.p8')
  const passphrase = options.passphrase
  const encryption = passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }
  writeFileSync(file, pair.privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }), { mode: 0o640 })
  chmodSync(file, 0o640)
  account.slots.RSA_PUBLIC_KEY = pair.publicKey
  const words = join(temporaryDirectory(), 'words')
  writeFileSync(words, passphrase ?? '')
  const env = {
    SNOWHAT_SNOWFLAKE_URL: account.url,
    SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE: file,
    ...(passphrase !== undefined && { SNOWHAT_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE: words }),
  }
  const inFile = () =>
    fingerprintOf(
      createPublicKey(createPrivateKey({ key: readFileSync(file), ...(passphrase !== undefined && { passphrase }) })),
    )
  const rotate = async (...flags: string[]) => {
    const { code, out, err } = await keys(['rotate', '--json', ...flags], env)
    return { code, err, state: out === '' ? undefined : JSON.parse(out.trim().split('\n').at(-1) ?? '') }
  }
  return { account, env, file, directory, inFile, rotate, old: fingerprintOf(pair.publicKey) }
}

describe('snowhat keys check', () => {
  it('signs in for real and says which place has the key', async () => {
    const { env, old } = await configured()
    const { code, out } = await keys(['check', '--json'], env)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      fingerprint: old,
      slot: 'RSA_PUBLIC_KEY',
      slots: { RSA_PUBLIC_KEY: old, RSA_PUBLIC_KEY_2: null },
    })
    expect((await keys(['check'], env)).out).toMatch(/RSA_PUBLIC_KEY has this key; RSA_PUBLIC_KEY_2 is empty/)
  })

  it('that is not told about the places compares nothing and says so', async () => {
    const { env } = await configured({ describes: false })
    expect((await keys(['check'], env)).out).toMatch(/key slots +not compared: .*Insufficient privileges/)
  })

  it('fails when the key is not registered, and names what to compare', async () => {
    const { account, env, old } = await configured()
    account.slots.RSA_PUBLIC_KEY = undefined
    const people = await keys(['check'], env)
    expect(people.code).toBe(1)
    expect(people.err).toContain('E_SIGN_IN')
    expect(people.err).toContain(old)
    const programs = await keys(['check', '--json'], env)
    expect([programs.code, JSON.parse(programs.out)]).toMatchObject([1, { ok: false, fingerprint: old }])
  })

  it('fails when nobody answers, and does not blame the key', async () => {
    const { env } = await configured()
    const { code, err } = await keys(['check'], { ...env, SNOWHAT_SNOWFLAKE_URL: 'http://127.0.0.1:9' })
    expect(code).toBe(1)
    expect(err).toContain('gives no answer')
    expect(err).not.toContain('DESC USER')
  })
})

describe('snowhat keys rotate', () => {
  it.each([
    ['plain', undefined],
    ['encrypted', 'open sesame'],
  ])(
    'repeated until it says done replaces the key (%s), with one that signs in at every moment',
    async (_what, passphrase) => {
      const { account, directory, env, file, inFile, rotate, old } = await configured(
        passphrase === undefined ? {} : { passphrase },
      )
      const signsIn = async () => expect((await keys(['check', '--json'], env)).code).toBe(0)

      const first = await rotate()
      expect(first).toMatchObject({ code: 1, state: { step: 'register', slot: 'RSA_PUBLIC_KEY_2', switched: false } })
      expect(await rotate()).toEqual(first)
      expect(inFile()).toBe(old)
      await signsIn()

      account.run(first.state.statement)
      const second = await rotate()
      expect(second).toMatchObject({
        code: 1,
        state: {
          step: 'retire',
          slot: 'RSA_PUBLIC_KEY',
          switched: true,
          statement: 'ALTER USER SENSEHAT_STREAMING_USER UNSET RSA_PUBLIC_KEY;',
        },
      })
      expect(inFile()).not.toBe(old)
      expect(statSync(file).mode & 0o777).toBe(0o640)
      await signsIn()
      expect(await rotate()).toMatchObject({ code: 1, state: { step: 'retire', switched: false } })

      account.run(second.state.statement)
      expect(await rotate()).toMatchObject({ code: 0, state: { step: 'done', done: true, fingerprint: inFile() } })
      await signsIn()
      expect(readdirSync(directory)).toEqual(['key.p8'])

      const next = await rotate()
      expect(next.state).toMatchObject({ step: 'register', slot: 'RSA_PUBLIC_KEY' })
    },
  )

  it('where DESC USER is not allowed says what to look at, and takes the place it is told', async () => {
    const { account, rotate, old } = await configured({ describes: false })
    const { state } = await rotate()
    expect(state).toMatchObject({ slot: 'RSA_PUBLIC_KEY_2', note: expect.stringContaining(old) })
    expect((await rotate('--slot', '1')).state).toMatchObject({ slot: 'RSA_PUBLIC_KEY' })
    account.run(state.statement)
    const retire = await rotate()
    expect(retire.state).toMatchObject({ slot: 'RSA_PUBLIC_KEY', note: expect.stringContaining(old) })
  })

  it('warns when the place that is left holds the key of somebody else', async () => {
    const { account, rotate } = await configured()
    account.slots.RSA_PUBLIC_KEY_2 = ofOthers
    expect((await rotate()).state.note).toContain(fingerprintOf(ofOthers))
  })

  it('goes on where it was interrupted between keeping the old key and putting the new one in its place', async () => {
    const { account, file, inFile, rotate, old } = await configured()
    account.run((await rotate()).state.statement)
    writeFileSync(`${file}.previous`, readFileSync(file))
    expect((await rotate()).state).toMatchObject({ step: 'retire', switched: true })
    expect(inFile()).not.toBe(old)
  })

  it('never asks for the key in use to be taken away, not even when the new one was deleted half-way', async () => {
    const { file, rotate } = await configured()
    writeFileSync(`${file}.previous`, readFileSync(file))
    expect((await rotate()).state).toMatchObject({ step: 'register', slot: 'RSA_PUBLIC_KEY_2' })
  })

  it('does not throw away what an earlier rotation has left', async () => {
    const { account, file, inFile, rotate, old } = await configured()
    account.run((await rotate()).state.statement)
    writeFileSync(`${file}.previous`, 'the key of last year')
    expect(await rotate()).toMatchObject({ code: 1, err: expect.stringContaining('is not the key in use') })
    expect([inFile(), readFileSync(`${file}.previous`, 'utf8')]).toEqual([old, 'the key of last year'])
  })

  it('keeps the old key when the wrong one was taken away, and says that the new one is refused', async () => {
    const { account, file, rotate } = await configured()
    account.run((await rotate()).state.statement)
    await rotate()
    account.slots.RSA_PUBLIC_KEY_2 = undefined
    expect(await rotate()).toMatchObject({ code: 1, err: expect.stringContaining('E_SIGN_IN') })
    expect(existsSync(`${file}.previous`)).toBe(true)
  })

  it('replaces the file behind a link, not the link', async () => {
    const { account, env, file, rotate, old, inFile } = await configured()
    const link = join(temporaryDirectory(), 'key.p8')
    symlinkSync(file, link)
    env.SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE = link
    account.run((await rotate()).state.statement)
    await rotate()
    expect(inFile()).not.toBe(old)
    expect(readFileSync(link)).toEqual(readFileSync(file))
  })

  it('waits for a person when it is told to', async () => {
    const { account, env, rotate } = await configured()
    const { state } = await rotate()
    account.run(state.statement)
    const { code, out } = await keys(['rotate', '--json', '--wait', '1ms'], env)
    expect(code).toBe(1)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).step),
    ).toEqual(['retire', 'retire'])
  })

  it('is not for a token', async () => {
    const { env } = await configured()
    const { SNOWHAT_SNOWFLAKE_URL } = env
    const { code, err } = await keys(['rotate'], { SNOWHAT_SNOWFLAKE_URL, SNOWHAT_SNOWFLAKE_PAT: 'pat' })
    expect(code).toBe(78)
    expect(err).toContain('no key in a file')
  })
})

it('whatever is repeated, and however often, the key in the file signs in', async () => {
  const step = fc.constantFrom<'rotate' | 'run'>('rotate', 'rotate', 'run')
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.boolean(),
      fc.array(step, { maxLength: 9 }),
      async (inSecond, describes, steps) => {
        const { account, inFile, rotate } = await configured({ describes })
        const free = inSecond ? '1' : '2'
        if (inSecond) account.slots = { RSA_PUBLIC_KEY: undefined, RSA_PUBLIC_KEY_2: pair.publicKey }
        let statement: string | undefined
        let done = false
        for (const one of [...steps, 'rotate', 'run', 'rotate', 'run', 'rotate'] as const) {
          if (done) break
          if (one === 'run' && statement !== undefined) account.run(statement)
          if (one === 'rotate') {
            const { state } = await rotate('--slot', free)
            statement = state.statement ?? undefined
            done = state.done
          }
          const registered = Object.values(account.slots).flatMap((key) =>
            key === undefined ? [] : [fingerprintOf(key)],
          )
          expect(registered).toContain(inFile())
        }
        expect(done).toBe(true)
        expect(Object.values(account.slots).filter((key) => key !== undefined)).toHaveLength(1)
      },
    ),
    { numRuns: 6 },
  )
})
