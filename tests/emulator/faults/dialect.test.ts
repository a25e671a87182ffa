import { describe, expect, it } from 'vitest'
import { emulated, upTo } from '../harness.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

function tokenCall(scope: string) {
  return {
    body: new URLSearchParams({ grant_type: GRANT, scope }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
}

/** A channel that has taken a bad row, so that it has an error to tell of. */
async function withBadRow() {
  const world = await emulated()
  const { client, clock } = world
  const token = await client.opened('a')
  await client.append('a', token, [{ uuid: '1', seq: 'many' }], upTo('1'))
  await clock.advance(1000)
  const spoken = async (dialect: object) => {
    await client.disturb({ dialect })
    const status = await client.statusOf('a')
    const { channel_status: opened } = (await client.open('a')).json
    // Open and bulk status speak alike.
    expect(opened).toEqual(status)
    return status ?? {}
  }
  return { ...world, token, spoken }
}

describe('the dialect', () => {
  it.each([
    ['text', 'text/plain', '127.0.0.1'],
    ['json', 'application/json', '{"hostname":"127.0.0.1"}'],
    ['quoted', 'application/json', '"127.0.0.1"'],
  ])('gives host and token as %s', async (form, type, body) => {
    const { client } = await emulated()
    await client.disturb({ dialect: { hostnameAnswer: form, tokenAnswer: form } })
    const name = await client.call('GET', '/v2/streaming/hostname')
    expect([name.headers['content-type'], name.text]).toEqual([type, body])
    const token = await client.call('POST', '/oauth/token', tokenCall('127.0.0.1'))
    const value = form === 'text' ? token.text : form === 'json' ? token.json.token : token.json
    expect([token.headers['content-type'], value.split('.').length]).toEqual([type, 3])
  })

  it('names the ingest host with an underscore, which clients write as a hyphen', async () => {
    const { client } = await emulated()
    await client.disturb({ dialect: { ingestHost: 'my_account.emulator' } })
    expect((await client.call('GET', '/v2/streaming/hostname')).text).toBe('my_account.emulator')
    expect((await client.call('POST', '/oauth/token', tokenCall('my-account.emulator'))).status).toBe(200)
    expect((await client.call('POST', '/oauth/token', tokenCall('127.0.0.1'))).json.code).toBe('invalid_scope')
  })

  it.each(['SUCCESS', 'ACTIVE', '0', 'none'])('calls a good channel %s', async (goodStatus) => {
    const { client, spoken } = await withBadRow()
    const told = goodStatus === 'none' ? undefined : goodStatus
    expect((await spoken({ goodStatus })).channel_status_code).toBe(told)
    // A bad one keeps its own.
    await client.disturb({ dialect: { goodStatus }, faults: [{ action: 'invalidate-channel' }] })
    expect((await client.statusOf('a'))?.channel_status_code).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
  })

  it('names the counter of bad rows either way, and never both', async () => {
    const { spoken } = await withBadRow()
    expect(await spoken({})).toMatchObject({ rows_error_count: 1 })
    const other = await spoken({ errorCounter: 'rows_errors' })
    expect(other).toMatchObject({ rows_errors: 1 })
    expect(other).not.toHaveProperty('rows_error_count')
  })

  it('writes times as numbers, as text, or as ISO 8601', async () => {
    const { clock, spoken } = await withBadRow()
    const times = async (timestamps: string) => {
      const status = await spoken({ timestamps })
      return [status.created_on_ms, status.last_error_timestamp]
    }
    const [made, failed] = await times('number')
    expect([typeof made, failed]).toEqual(['number', clock.now()])
    expect(await times('string')).toEqual([String(made), String(failed)])
    expect(await times('iso')).toEqual([made, new Date(clock.now()).toISOString()])
  })

  it('leaves a time that is not there at null', async () => {
    const { client } = await emulated()
    await client.disturb({ dialect: { timestamps: 'string' } })
    expect((await client.open('a')).json.channel_status.last_error_timestamp).toBeNull()
  })

  it.each([
    ['code', '{"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"'],
    ['error_code', '{"error_code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"'],
    ['string', '"STALE_CONTINUATION_TOKEN_SEQUENCER"'],
  ])('tells of a refusal as %s, its own and the ready ones', async (errorBody, begin) => {
    const { client } = await emulated()
    await client.open('a')
    await client.disturb({ dialect: { errorBody } })
    const own = await client.append('a', 'no token', [{ uuid: '1' }])
    await client.disturb({ dialect: { errorBody }, faults: [{ operation: 'append', action: 'stale-token' }] })
    const ready = await client.append('a', 'no token', [{ uuid: '1' }])
    for (const { status, text } of [own, ready]) {
      expect(status).toBe(400)
      expect(text.slice(0, begin.length)).toBe(begin)
    }
  })
})

describe('the limits', () => {
  it('allow so many requests a second and channel, then 429 390701', async () => {
    const { client, clock } = await emulated()
    await client.disturb({ limits: { requestsPerSecond: 10 } })
    let token = await client.opened('a')
    for (let i = 0; i < 10; i += 1)
      token = (await client.append('a', token, [{ uuid: String(i) }])).json.next_continuation_token
    const refused = await client.append('a', token, [{ uuid: '10' }])
    expect([refused.status, refused.json.code]).toEqual([429, '390701'])
    expect((await client.append('b', await client.opened('b'), [{ uuid: '1' }])).status).toBe(200)
    await clock.advance(1000)
    expect((await client.append('a', token, [{ uuid: '10' }])).status).toBe(200)
  })

  it('allow so many bytes a second and channel, counted before compression', async () => {
    const { client, clock } = await emulated()
    await client.disturb({ limits: { bytesPerSecond: 1000 } })
    const rows = [{ uuid: 'x'.repeat(700) }]
    const first = await client.append('a', await client.opened('a'), rows)
    const token = first.json.next_continuation_token
    const refused = await client.append('a', token, rows)
    expect([first.status, refused.status, refused.json.code]).toEqual([200, 429, '390701'])
    expect((await client.append('a', token, [{ uuid: 'y' }])).status).toBe(200)
    // What is larger than a second's worth goes through alone.
    await clock.advance(1000)
    expect((await client.append('b', await client.opened('b'), [{ uuid: 'z'.repeat(3000) }])).status).toBe(200)
  })

  it('allow so many channels in a pipe', async () => {
    const { client } = await emulated()
    await client.disturb({ limits: { channelsPerPipe: 2 } })
    expect([(await client.open('a')).status, (await client.open('b')).status]).toEqual([200, 200])
    const refused = await client.open('c')
    expect([refused.status, refused.json.code]).toEqual([409, 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE'])
    expect((await client.open('a')).status).toBe(200)
  })
})
