import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import { SignJWT } from 'jose'
import { type Dispatcher, MockAgent } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SnowflakeSettings } from '../../../bridge/config.ts'
import { connectSnowpipe, type Snowpipe } from '../../../bridge/snowpipe/client.ts'
import { createIdentity, type Identity } from '../../../bridge/snowpipe/credentials.ts'
import { systemClock } from '../../../src/clock.ts'
import { snowflakeSettings } from '../../support/bridge-settings.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { pipeNamed } from '../../support/pipes.ts'

const ACCOUNT = 'https://acme-prod1.snowflakecomputing.com'
const INGEST = 'https://acme-prod1.ingest.eu-west-1.example'

interface Seen {
  readonly origin: string
  readonly method: string
  /** Path and query as they went over the wire. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

type Respond = (seen: Seen) => { status: number; body?: string | object; headers?: Record<string, string> } | Error

interface Setup {
  readonly snowpipe: Snowpipe
  readonly seen: Seen[]
  readonly clock: ManualClock
  readonly identity: { forgotten: number }
  /** Calls to one endpoint. */
  to(part: string): Seen[]
}

const path = { pipe: pipeNamed('SENSEHAT_STREAMING_PIPE'), channel: 'pi-kitchen' }
const append = {
  requestId: '00000000-0000-4000-8000-000000000001',
  continuationToken: '3_0',
  startOffsetToken: '1.own1.aaaaaaaa.1',
  endOffsetToken: '1.own1.aaaaaaaa.3',
  body: gzipSync('{"uuid":"a"}\n'),
  encoding: 'gzip' as const,
  bytes: 13,
}
const OPENED = {
  next_continuation_token: '3_0',
  channel_status: { channel_status_code: 'SUCCESS', last_committed_offset_token: '1.own1.aaaaaaaa.9', rows_parsed: 9 },
}

/** A client whose network answers with `respond`; hostname and token are answered unless `respond` does. */
function connect(
  respond: Respond,
  options: {
    settings?: Partial<SnowflakeSettings>
    exchanged?: boolean
    host?: string | object
    token?: string | object
  } = {},
): Setup {
  const clock = new ManualClock()
  const agent = new MockAgent()
  agent.disableNetConnect()
  onTestFinished(() => agent.close())
  const seen: Seen[] = []
  const answer = (opts: { origin?: unknown; path: string; method: string; headers?: unknown; body?: unknown }) => {
    const one: Seen = {
      origin: String(opts.origin),
      method: opts.method,
      path: opts.path,
      headers: Object.fromEntries(
        Object.entries(opts.headers as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      body: Buffer.isBuffer(opts.body) ? opts.body : Buffer.from(String(opts.body ?? '')),
    }
    seen.push(one)
    const given = respond(one)
    if (given instanceof Error) throw given
    if (given.status !== 0) return given
    if (one.path.startsWith('/v2/streaming/hostname'))
      return { status: 200, body: options.host ?? new URL(INGEST).host }
    if (one.path.startsWith('/oauth/token')) return { status: 200, body: options.token ?? 'scoped-token' }
    return { status: 500 }
  }
  for (const origin of [
    ACCOUNT,
    INGEST,
    'https://old.ingest.eu-west-1.example',
    'https://acme-my-acct.snowflakecomputing.com',
    'http://127.0.0.1:8085',
  ])
    for (const method of ['GET', 'PUT', 'POST', 'DELETE'])
      agent
        .get(origin)
        .intercept({ path: () => true, method })
        .reply((opts) => {
          const { status, body = '', headers = {} } = answer({ ...opts, origin })
          return {
            statusCode: status,
            data: typeof body === 'string' ? body : JSON.stringify(body),
            responseOptions: { headers },
          }
        })
        .persist()
  const counts = { forgotten: 0 }
  const exchanged = options.exchanged ?? true
  const identity: Identity = {
    exchanged,
    expiresAt: null,
    hint: 'compare the fingerprint',
    clockSkewMs: 0,
    credential: async () => ({
      token: `own-${counts.forgotten}`,
      kind: exchanged ? 'KEYPAIR_JWT' : 'PROGRAMMATIC_ACCESS_TOKEN',
    }),
    refused: async () => {
      counts.forgotten++
      return false
    },
  }
  const settings = snowflakeSettings({ account: 'ACME-PROD1', ...options.settings })
  const snowpipe = connectSnowpipe(settings, { clock, identity, dispatcher: agent as Dispatcher })
  return { snowpipe, seen, clock, identity: counts, to: (part) => seen.filter((one) => one.path.includes(part)) }
}

/** Leaves hostname and token to the usual answers. */
const pass = { status: 0 }
const usual = (one: Seen, body: string | object, status = 200) =>
  one.path.startsWith('/v2/streaming/hostname') || one.path.startsWith('/oauth/token') ? pass : { status, body }

const withoutRequestId = (path: string) =>
  path.replace(/([?&])requestId=[0-9a-f-]{36}(&|$)/, (_m, before, after) => (after === '&' ? before : ''))

describe('signing in', () => {
  it('discovers the ingest host, exchanges the JWT for a token of that scope, and opens with it', async () => {
    const { snowpipe, seen } = connect((one) => usual(one, OPENED))
    await snowpipe.open(path, true)
    const [hostname, token, open] = seen
    expect(hostname).toMatchObject({ origin: ACCOUNT, method: 'GET' })
    expect(withoutRequestId(hostname?.path ?? '')).toBe('/v2/streaming/hostname')
    expect(hostname?.headers).toMatchObject({
      authorization: 'Bearer own-0',
      accept: 'application/json',
      'x-snowflake-authorization-token-type': 'KEYPAIR_JWT',
    })
    expect(token).toMatchObject({ origin: ACCOUNT, method: 'POST' })
    expect(token?.headers['x-snowflake-authorization-token-type']).toBeUndefined()
    expect(token?.headers).toMatchObject({
      authorization: 'Bearer own-0',
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(token?.body.toString()).toBe(
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&scope=acme-prod1.ingest.eu-west-1.example',
    )
    expect(open).toMatchObject({ origin: INGEST, method: 'PUT' })
    expect(open?.headers.authorization).toBe('Bearer scoped-token')
  })

  it('asks for the role in the scope when one is configured', async () => {
    const { snowpipe, to } = connect((one) => usual(one, OPENED), { settings: { role: 'SENSEHAT_STREAMING_ROLE' } })
    await snowpipe.open(path, true)
    expect(new URLSearchParams(to('/oauth/token')[0]?.body.toString()).get('scope')).toBe(
      'acme-prod1.ingest.eu-west-1.example session:role:SENSEHAT_STREAMING_ROLE',
    )
  })

  it.each([
    ['plain text', 'acme_prod1.ingest.eu-west-1.example\n', 'scoped-token'],
    ['a JSON string', '"acme_prod1.ingest.eu-west-1.example"', '"scoped-token"'],
    ['a JSON object', { hostname: 'ACME_PROD1.ingest.eu-west-1.example' }, { token: 'scoped-token' }],
    ['other names', { ingest_host: 'https://acme_prod1.ingest.eu-west-1.example' }, { access_token: 'scoped-token' }],
  ])('takes host and token as %s; underscores of a host are hyphens', async (_what, host, token) => {
    const { snowpipe, seen } = connect((one) => usual(one, OPENED), { host, token })
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(seen.at(-1)).toMatchObject({ origin: INGEST })
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer scoped-token')
  })

  it('reaches an account whose name has an underscore', async () => {
    const { snowpipe, seen } = connect((one) => usual(one, OPENED), { settings: { account: 'ACME-MY_ACCT' } })
    await snowpipe.open(path, true)
    expect(seen[0]?.origin).toBe('https://acme-my-acct.snowflakecomputing.com')
  })

  it.each(['', 'two words', 'a/b', '{}'])('does not take %j for a host', async (host) => {
    const { snowpipe, to } = connect((one) => usual(one, OPENED), { host })
    expect((await snowpipe.open(path, true)).verdict).toBe('retry')
    expect(to('/channels/')).toEqual([])
  })

  it('keeps scheme and port of an emulator, whose host has none', async () => {
    const { snowpipe, seen } = connect((one) => usual(one, OPENED), {
      settings: { url: 'http://127.0.0.1:8085' },
      host: '127.0.0.1',
    })
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(seen.map(({ origin }) => origin)).toEqual(Array(3).fill('http://127.0.0.1:8085'))
  })

  it('happens once for many calls at the same time, and is not repeated for the next', async () => {
    const { snowpipe, to } = connect((one) => usual(one, OPENED))
    await Promise.all(Array.from({ length: 20 }, (_, i) => snowpipe.open({ ...path, channel: `pi-${i}` }, true)))
    await snowpipe.open(path, true)
    expect([to('/hostname').length, to('/oauth/token').length, to('/channels/').length]).toEqual([1, 1, 21])
  })

  it('is renewed before the token ends, and the host is not asked for again', async () => {
    const clock = new ManualClock()
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(clock.now() / 1000 + 600)
      .sign(Buffer.alloc(32))
    const setup = connect((one) => usual(one, OPENED), { token })
    await setup.snowpipe.open(path, true)
    setup.clock.stall(479_000)
    await setup.snowpipe.open(path, true)
    expect(setup.to('/oauth/token')).toHaveLength(1)
    setup.clock.stall(2_000)
    await setup.snowpipe.open(path, true)
    expect(setup.to('/oauth/token')).toHaveLength(2)
    expect(setup.to('/hostname')).toHaveLength(1)
  })

  it('with a programmatic access token exchanges nothing and says what kind it is', async () => {
    const { snowpipe, to, seen } = connect((one) => usual(one, OPENED), { exchanged: false })
    await snowpipe.open(path, true)
    expect(to('/oauth/token')).toEqual([])
    expect(seen.map(({ headers }) => headers['x-snowflake-authorization-token-type'])).toEqual([
      'PROGRAMMATIC_ACCESS_TOKEN',
      'PROGRAMMATIC_ACCESS_TOKEN',
    ])
  })

  it.each([
    ['the host', '/hostname', 401, 'unauthorized'],
    ['the token', '/oauth/token', 401, 'unauthorized'],
    ['the token', '/oauth/token', 403, 'blocked'],
    ['the token', '/oauth/token', 400, 'blocked'],
    ['the host', '/hostname', 503, 'retry'],
    ['the token', '/oauth/token', 429, 'retry'],
    ['the host', '/hostname', 404, 'retry'],
  ])('that is refused %s (%s answers %i) is the verdict of the call: %s', async (_what, part, status, verdict) => {
    const { snowpipe, to } = connect((one) => (one.path.includes(part) ? { status } : usual(one, OPENED)))
    const outcome = await snowpipe.open(path, true)
    expect(outcome).toMatchObject({ verdict, answer: { status } })
    expect(to('/channels/')).toEqual([])
  })

  it('that was refused is tried with a JWT signed anew the next time: the clock may have been set meanwhile', async () => {
    let refusing = true
    const { snowpipe, identity, to } = connect((one) =>
      refusing && one.path.startsWith('/v2/streaming/hostname') ? { status: 401 } : usual(one, OPENED),
    )
    expect((await snowpipe.open(path, true)).verdict).toBe('unauthorized')
    refusing = false
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect(identity.forgotten).toBeGreaterThan(0)
    expect(to('/hostname').at(-1)?.headers.authorization).not.toBe('Bearer own-0')
  })
})

describe('opening a channel', () => {
  it('puts names, percent-encoded, into the path, and says whether uncommitted rows are in the way', async () => {
    const { snowpipe, to } = connect((one) => usual(one, OPENED))
    const pipe = { database: 'IoT "x"', schema: 'RAW/1', pipe: 'SENSOR-STREAMING' }
    const outcome = await snowpipe.open({ pipe, channel: 'pi kitchen' }, true)
    await snowpipe.open(path, false)
    const [first, second] = to('/channels/')
    expect(withoutRequestId(first?.path ?? '')).toBe(
      '/v2/streaming/databases/%22IoT%20%22%22x%22%22%22/schemas/%22RAW%2F1%22/pipes/%22SENSOR-STREAMING%22/channels/pi%20kitchen',
    )
    expect(JSON.parse(first?.body.toString() ?? '')).toEqual({ fail_on_uncommitted_rows: true })
    expect(JSON.parse(second?.body.toString() ?? '')).toEqual({ fail_on_uncommitted_rows: false })
    expect(first?.headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/json' })
    expect(outcome).toMatchObject({
      verdict: 'ok',
      value: { continuationToken: '3_0', status: { committed: '1.own1.aaaaaaaa.9', rowsParsed: 9, code: 'SUCCESS' } },
    })
  })

  it.each([
    ['ERR_PIPE_IN_INVALID_STATE', 'blocked'],
    ['ERR_CHANNEL_MUST_BE_REOPENED', 'reopen'],
    ['ERR_OF_A_NEW_KIND', 'blocked'],
  ])('is a failure when it answers 200 and the channel is %s', async (code, verdict) => {
    const { snowpipe } = connect((one) => usual(one, { ...OPENED, channel_status: { channel_status_code: code } }))
    expect(await snowpipe.open(path, true)).toMatchObject({ verdict, answer: { status: 200, code } })
  })

  it('is good when the channel is ACTIVE, or its code is missing', async () => {
    for (const channel_status of [{ channel_status_code: 'ACTIVE' }, {}])
      expect(
        (await connect((one) => usual(one, { ...OPENED, channel_status })).snowpipe.open(path, true)).verdict,
      ).toBe('ok')
  })

  it('is tried again when the answer lacks a token', async () => {
    const { snowpipe } = connect((one) => usual(one, { channel_status: {} }))
    expect((await snowpipe.open(path, true)).verdict).toBe('retry')
  })

  it('that finds uncommitted rows says so', async () => {
    const { snowpipe } = connect((one) => usual(one, { code: 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA' }, 409))
    expect((await snowpipe.open(path, true)).verdict).toBe('uncommitted')
  })
})

describe('appending', () => {
  it('sends token, both offsets and the request id in the query, escaped, and the gzip as it is', async () => {
    const { snowpipe, to } = connect((one) => usual(one, { next_continuation_token: '3_1' }))
    const odd = { ...append, continuationToken: '3/0+=&', startOffsetToken: '1.own1.a b.1' }
    expect(await snowpipe.append(path, odd)).toEqual({ verdict: 'ok', value: { continuationToken: '3_1' } })
    const [one] = to('/rows')
    expect(one?.path).toBe(
      '/v2/streaming/data/databases/DEMO/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE/channels/pi-kitchen/rows' +
        '?continuationToken=3%2F0%2B%3D%26&startOffsetToken=1.own1.a+b.1&endOffsetToken=1.own1.aaaaaaaa.3' +
        '&requestId=00000000-0000-4000-8000-000000000001',
    )
    expect(one).toMatchObject({ origin: INGEST, method: 'POST' })
    expect(one?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
    })
    expect(one?.headers['user-agent']).toContain('snowhat')
    expect(one?.body.equals(append.body)).toBe(true)
    expect(gunzipSync(one?.body ?? Buffer.alloc(0)).toString()).toBe('{"uuid":"a"}\n')
  })

  it.each([
    [{ status_code: 4, message: 'stale' }, 'reopen'],
    [{ status_code: 1 }, 'retry'],
    [{ status_code: 2 }, 'blocked'],
    [{}, 'retry'],
    ['', 'retry'],
  ])('is no success when 200 comes with %j: %s', async (body, verdict) => {
    const { snowpipe } = connect((one) => usual(one, body))
    expect((await snowpipe.append(path, append)).verdict).toBe(verdict)
  })

  it('that got no answer is to be sent again', async () => {
    const { snowpipe } = connect((one) => (one.path.includes('/rows') ? new Error('socket hang up') : pass))
    expect(await snowpipe.append(path, append)).toMatchObject({ verdict: 'retry', answer: { status: undefined } })
  })

  it('names the encoding, and how many bytes it has unpacked', async () => {
    const { snowpipe, to } = connect((one) => usual(one, { next_continuation_token: '3_1' }))
    await snowpipe.append(path, { ...append, encoding: 'zstd', bytes: 4711 })
    expect(to('/rows')[0]?.headers).toMatchObject({
      'content-encoding': 'zstd',
      'x-snowflake-uncompressed-content-length': '4711',
    })
  })

  it('passes on how long the server wants us to wait', async () => {
    const { snowpipe } = connect((one) =>
      one.path.includes('/rows') ? { status: 429, headers: { 'retry-after': '3' } } : pass,
    )
    expect(await snowpipe.append(path, append)).toMatchObject({ verdict: 'retry', answer: { retryAfterMs: 3_000 } })
  })
})

describe('the hint at the node that serves a channel', () => {
  it('goes back with the next append to that channel, and is forgotten when an answer has none', async () => {
    const answers = ['node-7', 'node-8', undefined, undefined]
    const { snowpipe, to } = connect((one) => {
      if (!one.path.includes('/rows')) return pass
      const session = answers.shift()
      const headers: Record<string, string> = session === undefined ? {} : { 'x-snowflake-session': session }
      return { status: 200, body: { next_continuation_token: '3_1' }, headers }
    })
    const other = { ...path, channel: 'pi-attic' }
    for (const channel of [path, other, path, path]) await snowpipe.append(channel, append)
    expect(to('/rows').map(({ headers }) => headers['x-snowflake-session'])).toEqual([
      undefined,
      undefined,
      'node-7',
      undefined,
    ])
  })
})

describe('an ingest host that cannot be reached any more', () => {
  it('is asked for anew after three calls, and the old one stands as long as nobody names another', async () => {
    const next = 'https://old.ingest.eu-west-1.example'
    let host = new URL(INGEST).host
    const { snowpipe, to, clock } = connect((one) => {
      if (one.path.startsWith('/v2/streaming/hostname')) return { status: 200, body: host }
      if (one.path.startsWith('/oauth/token')) return pass
      return one.origin === next ? { status: 200, body: OPENED } : new Error('connect ECONNREFUSED')
    })
    for (let call = 1; call <= 3; call++) expect((await snowpipe.open(path, true)).verdict).toBe('retry')
    expect(to('/hostname')).toHaveLength(1)
    expect((await snowpipe.open(path, true)).verdict).toBe('retry')
    expect([to('/hostname').length, to('/oauth/token').length]).toEqual([2, 1])
    host = new URL(next).host
    // Not with every call.
    expect((await snowpipe.open(path, true)).verdict).toBe('retry')
    clock.stall(30_000)
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
    expect([to('/hostname').length, to('/oauth/token').length]).toEqual([3, 2])
  })
})

describe('a sign-in that is throttled', () => {
  it('is not tried again before the time that was named, whoever calls', async () => {
    let throttled = true
    const { snowpipe, to, clock } = connect((one) =>
      throttled && one.path.startsWith('/oauth/token')
        ? { status: 429, headers: { 'retry-after': '5' } }
        : usual(one, OPENED),
    )
    for (let call = 1; call <= 10; call++)
      expect(await snowpipe.open(path, true)).toMatchObject({ verdict: 'retry', answer: { retryAfterMs: 5_000 } })
    expect(to('/oauth/token')).toHaveLength(1)
    throttled = false
    clock.stall(5_000)
    expect((await snowpipe.open(path, true)).verdict).toBe('ok')
  })
})

describe('a credential that is refused', () => {
  it('is renewed once, and the same request made again', async () => {
    let refusals = 1
    const { snowpipe, to, identity } = connect((one) =>
      one.path.includes('/rows') && refusals-- > 0 ? { status: 401 } : usual(one, { next_continuation_token: '3_1' }),
    )
    expect((await snowpipe.append(path, append)).verdict).toBe('ok')
    const [first, second] = to('/rows')
    expect(second?.path).toBe(first?.path)
    expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
    expect(to('/oauth/token').map(({ headers }) => headers.authorization)).toEqual(['Bearer own-0', 'Bearer own-1'])
    expect(identity.forgotten).toBe(1)
  })

  it('twice is told, not tried for ever', async () => {
    const { snowpipe, to } = connect((one) => (one.path.includes('/rows') ? { status: 401 } : pass))
    expect((await snowpipe.append(path, append)).verdict).toBe('unauthorized')
    expect(to('/rows')).toHaveLength(2)
  })
})

describe('an account that has moved', () => {
  it('is told to the caller, and the next call discovers host and token anew', async () => {
    let moved = true
    const { snowpipe, to } = connect((one) =>
      moved && one.path.includes('/rows') ? { status: 410 } : usual(one, { next_continuation_token: '3_1' }),
    )
    expect((await snowpipe.append(path, append)).verdict).toBe('moved')
    expect(to('/rows')).toHaveLength(1)
    moved = false
    expect((await snowpipe.append(path, append)).verdict).toBe('ok')
    expect([to('/hostname').length, to('/oauth/token').length]).toEqual([2, 2])
  })

  it.each([400, 401, 403])(
    'while nobody called is found when the old host is refused as the scope of a new token (%i)',
    async (status) => {
      let host = 'old.ingest.eu-west-1.example'
      const { snowpipe, clock, to } = connect((one) => {
        if (one.path.startsWith('/v2/streaming/hostname')) return { status: 200, body: host }
        const isScoped = new URLSearchParams(one.body.toString()).get('scope') === host
        if (one.path.startsWith('/oauth/token')) return isScoped ? pass : { status }
        return { status: 200, body: OPENED }
      })
      expect((await snowpipe.open(path, true)).verdict).toBe('ok')
      host = new URL(INGEST).hostname
      clock.stall(3_600_000)
      expect((await snowpipe.open(path, true)).verdict).toBe('ok')
      expect([to('/hostname').length, to('/oauth/token').length]).toEqual([2, 3])
    },
  )
})

describe('the status of channels', () => {
  it('is asked for by name, and the answer is read by the names that were asked', async () => {
    const { snowpipe, to } = connect((one) =>
      usual(one, {
        channel_statuses: {
          'pi-a': { channel_status_code: 'SUCCESS', last_committed_offset_token: '1.own1.aaaaaaaa.9' },
          'pi-b': { channel_status_code: 'ERR_CHANNEL_MUST_BE_REOPENED', last_committed_offset_token: '' },
        },
      }),
    )
    const outcome = await snowpipe.status(path.pipe, ['pi-a', 'pi-b', 'never-opened'])
    if (outcome.verdict !== 'ok') throw new Error(outcome.verdict)
    expect([...outcome.value.keys()]).toEqual(['pi-a', 'pi-b'])
    expect(outcome.value.get('pi-a')?.committed).toBe('1.own1.aaaaaaaa.9')
    expect(outcome.value.get('pi-b')?.committed).toBeNull()
    const [one] = to(':bulk-channel-status')
    expect(withoutRequestId(one?.path ?? '')).toBe(
      '/v2/streaming/databases/DEMO/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE:bulk-channel-status',
    )
    expect(JSON.parse(one?.body.toString() ?? '')).toEqual({ channel_names: ['pi-a', 'pi-b', 'never-opened'] })
  })

  it('of a broken pipe is a refusal: the cheap way to find out', async () => {
    const { snowpipe } = connect((one) => usual(one, { code: 'ERR_PIPE_IN_INVALID_STATE' }, 409))
    expect((await snowpipe.status(pipeNamed('P'), [])).verdict).toBe('blocked')
  })
})

it('every call bears a request id of its own, an append the one of its batch', async () => {
  const { snowpipe, seen } = connect((one) => usual(one, { ...OPENED, channel_statuses: {} }))
  await snowpipe.open(path, true)
  await snowpipe.append(path, append)
  await snowpipe.append(path, append)
  await snowpipe.status(pipeNamed('P'), ['a'])
  const ids = seen.map((one) => new URL(one.path, one.origin).searchParams.get('requestId'))
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(ids.length - 1)
})

it('waits for the last byte of an answer no longer than for the first', async () => {
  // A service whose answer never ends, though something of it comes all the time.
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const dribbling = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(dribbling))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const settings = snowflakeSettings({ url: `http://127.0.0.1:${port}`, pat: 'secret' })
  const clock = systemClock()
  const snowpipe = connectSnowpipe(settings, {
    clock,
    identity: createIdentity(settings, clock),
    timeLimits: { control: 200 },
  })
  onTestFinished(async () => {
    await snowpipe.close()
    server.closeAllConnections()
    server.close()
  })
  expect(await snowpipe.status(pipeNamed('PIPE'), ['pi'])).toMatchObject({
    verdict: 'retry',
    answer: { status: undefined, message: 'no whole answer within 0.2 s' },
  })
})

describe('dropping a channel', () => {
  it('is a DELETE of the channel', async () => {
    const { snowpipe, to } = connect((one) => usual(one, { status_code: 0 }))
    expect(await snowpipe.drop(path)).toEqual({ verdict: 'ok', value: undefined })
    expect(to('/channels/')[0]).toMatchObject({ method: 'DELETE' })
    expect(to('/channels/')[0]?.path).toMatch(/\/pipes\/SENSEHAT_STREAMING_PIPE\/channels\/pi-kitchen\?requestId=/)
  })

  it.each([
    [404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED', 'ok'],
    [404, '', 'retry'],
    [403, 'ERR_ROLE_X', 'blocked'],
    [409, 'STALE_PIPE_CACHE', 'reopen'],
  ])('that is answered %i %s is %s', async (status, code, verdict) => {
    const body = code === '' ? '' : { code, message: code }
    const { snowpipe } = connect(({ method }) => (method === 'DELETE' ? { status, body } : { status: 0 }))
    expect((await snowpipe.drop(path)).verdict).toBe(verdict)
  })
})
