import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../support/directory.ts'
import { AccountHost } from './account-host.ts'

const path = { pipe: { database: 'DEMO', schema: 'DEMO', pipe: 'SENSEHAT_STREAMING_PIPE' }, channel: 'pi-kitchen' }
const [first, second] = [0, 1].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }))
if (first === undefined || second === undefined) throw new Error('two pairs')

const pem = (key: KeyObject, passphrase?: string) =>
  key
    .export({ type: 'pkcs8', format: 'pem', ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }) })
    .toString()

const HOUR = 3_600_000
const said = (host: AccountHost, words: string) => host.logged.filter(({ msg }) => String(msg).includes(words))

describe('a machine whose clock is wrong', () => {
  it.each([
    ['an hour behind', HOUR],
    ['an hour ahead', -HOUR],
    ['ten years behind, as a Pi without a battery is', 87_600 * HOUR],
    ['two minutes ahead', -120_000],
  ])('and is %s signs in at once, by the time the refusal bears, and is told once', async (_what, aheadMs) => {
    const host = new AccountHost()
    host.register(first.publicKey)
    host.aheadMs = aheadMs
    const { snowpipe, identity } = host.connect({ private_key: pem(first.privateKey) })
    for (let hour = 0; hour < 30; hour++) {
      expect((await snowpipe.open(path, true)).verdict).toBe('ok')
      host.clock.stall(HOUR)
    }
    expect(host.refusals).toBe(1)
    expect(Math.abs(identity.clockSkewMs - aheadMs)).toBeLessThan(1_000)
    expect(said(host, 'machine is wrong')).toMatchObject([{ level: 40, seconds: Math.round(aheadMs / 1000) }])
  })

  it('and is set later signs by it again, with no refusal in between', async () => {
    const host = new AccountHost()
    host.register(first.publicKey)
    host.aheadMs = HOUR
    const { snowpipe, identity } = host.connect({ private_key: pem(first.privateKey) })
    await snowpipe.open(path, true)
    host.clock.setWall(host.clock.now() + HOUR)
    host.aheadMs = 0
    host.clock.stall(2 * HOUR)
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect([host.refusals, identity.clockSkewMs]).toEqual([1, 0])
    expect(said(host, 'right again')).toHaveLength(1)
  })

  it('and becomes wrong while it runs goes on', async () => {
    const host = new AccountHost()
    host.register(first.publicKey)
    const { snowpipe } = host.connect({ private_key: pem(first.privateKey) })
    await snowpipe.open(path, true)
    host.clock.setWall(host.clock.now() - 5 * HOUR)
    host.aheadMs = 5 * HOUR
    for (let hour = 0; hour < 5; hour++) {
      host.clock.stall(HOUR)
      expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    }
    expect(said(host, 'machine is wrong')).toHaveLength(1)
  })

  it('is not suspected when the refusal bears our time, or none: then the key is named, and the form of the account', async () => {
    for (const saysDate of [true, false]) {
      const host = new AccountHost()
      host.saysDate = saysDate
      const { snowpipe } = host.connect({
        private_key: pem(first.privateKey),
        account: 'XY12345.EU-WEST-1',
        url: 'https://acme-prod1.snowflakecomputing.com',
      })
      const outcome = await snowpipe.open(path, true)
      expect(outcome).toMatchObject({ verdict: 'unauthorized' })
      const hint = outcome.verdict === 'ok' ? '' : outcome.answer.hint
      expect(hint).toContain('SHA256:')
      expect(hint).toContain('EU-WEST-1 is a region')
      expect([host.refusals, said(host, 'clock')]).toEqual([1, []])
    }
  })
})

describe('a credential in a file', () => {
  const files = () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'credential')
    return {
      file,
      put: (text: string) => {
        writeFileSync(`${file}.next`, text)
        renameSync(`${file}.next`, file)
      },
    }
  }

  it('that is a key is noticed when the old one is refused, and then used at once', async () => {
    const host = new AccountHost()
    host.register(first.publicKey)
    const { file, put } = files()
    put(pem(first.privateKey))
    const { snowpipe } = host.connect({ private_key: pem(first.privateKey), private_key_file: file })
    await snowpipe.open(path, true)
    put(pem(second.privateKey))
    host.keys.clear()
    host.issued.length = 0
    host.register(second.publicKey)
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(said(host, 'key was replaced')).toHaveLength(1)
  })

  it('that is a key is used from the next renewal on, so that no refusal is needed to change it', async () => {
    const host = new AccountHost()
    host.register(first.publicKey)
    host.register(second.publicKey)
    const { file, put } = files()
    put(pem(first.privateKey))
    const { snowpipe } = host.connect({ private_key: pem(first.privateKey), private_key_file: file })
    await snowpipe.open(path, true)
    put(pem(second.privateKey))
    host.clock.stall(0.81 * HOUR)
    await snowpipe.open(path, true)
    host.keys.delete([...host.keys.keys()][0] ?? '')
    host.clock.stall(HOUR)
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(host.refusals).toBe(0)
  })

  it.each([
    ['is half written', (put: (text: string) => void) => put(pem(second.privateKey).slice(0, 300)), 'cannot be used'],
    ['is empty', (put: (text: string) => void) => put(''), 'cannot be read'],
    ['is gone', (_put: (text: string) => void, file: string) => rmSync(file), 'cannot be read'],
  ])('that %s is not used: the old key goes on, and a line says so', async (_what, spoil, words) => {
    const host = new AccountHost()
    host.register(first.publicKey)
    const { file, put } = files()
    put(pem(first.privateKey))
    const { snowpipe } = host.connect({ private_key: pem(first.privateKey), private_key_file: file })
    await snowpipe.open(path, true)
    spoil(put, file)
    for (let hour = 0; hour < 3; hour++) {
      host.clock.stall(HOUR)
      expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    }
    expect(said(host, words)).toMatchObject([{ level: 40 }])
    expect(host.refusals).toBe(0)
  })

  it('that is a key with a new passphrase needs both files, in whatever order they come', async () => {
    for (const keyFirst of [true, false]) {
      const host = new AccountHost()
      host.register(first.publicKey)
      host.register(second.publicKey)
      const [key, words] = [files(), files()]
      key.put(pem(first.privateKey, 'old words'))
      words.put('old words\n')
      const { snowpipe } = host.connect({
        private_key: pem(first.privateKey, 'old words'),
        private_key_file: key.file,
        private_key_passphrase: 'old words',
        private_key_passphrase_file: words.file,
      })
      const steps = [() => key.put(pem(second.privateKey, 'new words')), () => words.put('new words\n')]
      for (const step of keyFirst ? steps : steps.reverse()) {
        step()
        host.clock.stall(HOUR)
        expect((await snowpipe.open(path, true)).verdict).toBe('ok')
      }
      expect(said(host, 'signing in with the new one')).toHaveLength(1)
      expect(JSON.stringify(host.logged)).not.toMatch(/(old|new) words/)
    }
  })

  it.each([
    ['pat', 'pat_file', 'PROGRAMMATIC_ACCESS_TOKEN'],
    ['oauth_token', 'oauth_token_file', 'OAUTH'],
  ] as const)('that is a token (%s) is looked at twice a minute and at each refusal', async (name, fileName, kind) => {
    const host = new AccountHost()
    const { file, put } = files()
    put('token-1\n')
    host.tokens.add('token-1').add('token-2')
    const { snowpipe, identity } = host.connect({ [name]: 'token-1', [fileName]: file })
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect((await identity.credential()).kind).toBe(kind)
    put('token-2\n')
    host.clock.stall(31_000)
    await snowpipe.open(path, true)
    host.tokens.delete('token-1')
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(host.refusals).toBe(0)
    put('token-3\n')
    host.tokens.clear()
    host.tokens.add('token-3')
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(host.refusals).toBe(1)
    expect(JSON.stringify(host.logged)).not.toContain('token-')
  })
})

describe('a file of a credential, whatever it holds from one time to the next', () => {
  const gone = Symbol('no file')
  const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const good = { key: [pem(first.privateKey), pem(second.privateKey)], token: ['token-1', 'token-2'] }
  const refused = { key: [pem(strangers.privateKey)], token: ['token-of-a-stranger'] }
  const unusable = {
    key: ['', pem(second.privateKey).slice(0, 300), 'SHA256:no-key', gone],
    token: ['', '\n', 'token-1 token-2', 'tökn-1', gone],
  }

  it.each(['key', 'token'] as const)(
    'signs in with the last %s in it that could be one, and with no other',
    async (kind) => {
      const held = fc.constantFrom<string | symbol>(...good[kind], ...refused[kind], ...unusable[kind])
      await fc.assert(
        fc.asyncProperty(fc.array(held, { maxLength: 8 }), async (steps) => {
          const host = new AccountHost()
          host.register(first.publicKey)
          host.register(second.publicKey)
          if (kind === 'token') for (const token of good.token) host.tokens.add(token)
          const file = join(temporaryDirectory(), 'credential')
          let last = good[kind][0] ?? ''
          writeFileSync(file, last)
          const { snowpipe } = host.connect(
            kind === 'key'
              ? { private_key: last, private_key_file: file }
              : { oauth_token: last, oauth_token_file: file },
          )
          for (const now of steps) {
            if (typeof now === 'symbol') rmSync(file, { force: true })
            else writeFileSync(file, now)
            if (typeof now === 'string' && !unusable[kind].includes(now)) last = now
            host.clock.stall(2 * HOUR)
            const { verdict } = await snowpipe.open(path, true)
            expect(verdict).toBe(good[kind].includes(last) ? 'ok' : 'unauthorized')
          }
          expect(JSON.stringify(host.logged)).not.toMatch(/token-[1-9o]|tökn|MII/)
        }),
        { numRuns: 60 },
      )
    },
  )
})

it('a scoped token is made once for all who wait for it, before the old one ends, and no call fails for its age', async () => {
  const step = fc.record({ passMs: fc.integer({ min: 0, max: 2 * HOUR }), calls: fc.integer({ min: 1, max: 8 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 61, max: 7_200 }),
      fc.integer({ min: -3 * HOUR, max: 3 * HOUR }),
      fc.array(step, { minLength: 1, maxLength: 8 }),
      async (tokenLifeS, aheadMs, steps) => {
        const host = new AccountHost()
        host.register(first.publicKey)
        Object.assign(host, { tokenLifeS, aheadMs })
        const { snowpipe } = host.connect({ private_key: pem(first.privateKey) })
        let renewAt = 0
        for (const { passMs, calls } of steps) {
          host.clock.stall(passMs)
          const before = host.issued.length
          const outcomes = await Promise.all(Array.from({ length: calls }, () => snowpipe.open(path, true)))
          expect(outcomes.map(({ verdict }) => verdict)).toEqual(Array(calls).fill('ok'))
          const isDue = host.clock.monotonic() >= renewAt
          expect(host.issued.length - before).toBe(isDue ? 1 : 0)
          // The header is of whole seconds, so the token's life is known to a second.
          if (isDue) renewAt = host.clock.monotonic() + Math.min(tokenLifeS * 800, (tokenLifeS - 60) * 1_000)
        }
        // A clock that is off by more than the account takes is noticed by one refusal; age alone makes none.
        expect(host.refusals).toBeLessThanOrEqual(1)
      },
    ),
    { numRuns: 60 },
  )
})
