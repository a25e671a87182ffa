import { describe, expect, it } from 'vitest'
import { emulated, rowCount, upTo } from '../harness.ts'

const GAP = 'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP'

/** A channel `a` with one row committed under token 1 and one under token 2 that is not. */
async function halfCommitted() {
  const world = await emulated()
  const { client, clock } = world
  const first = await client.append('a', await client.opened('a'), [{ uuid: '1' }], upTo('1'))
  await clock.advance(1000)
  await client.status(['a'])
  const second = await client.append('a', first.json.next_continuation_token, [{ uuid: '2' }], upTo('2'))
  const token: string = second.json.next_continuation_token
  const committed = async () => (await client.statusOf('a'))?.last_committed_offset_token
  expect(await committed()).toBe('1')
  return { ...world, token, committed }
}

describe('a channel', () => {
  it('becomes invalid while nobody speaks to it: only a status poll shows it', async () => {
    const { client, clock, emulator, token } = await halfCommitted()
    await client.opened('b')
    await client.faults([{ action: 'invalidate-channel', channel: 'a' }])
    const { a, b } = (await client.status(['a', 'b'])).json.channel_statuses
    expect([a.channel_status_code, b.channel_status_code]).toEqual(['ERR_CHANNEL_MUST_BE_REOPENED', 'SUCCESS'])
    expect((await client.append('a', token, [{ uuid: '3' }])).json.code).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    await clock.advance(5000)
    expect((await client.open('a', { fail_on_uncommitted_rows: true })).status).toBe(200)
    expect(await rowCount(emulator)).toBe(1)
  })

  it('keeps its pending rows when told so: they commit, and a careful open waits for them', async () => {
    const { client, clock, emulator } = await halfCommitted()
    const code = 'ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER'
    await client.faults([{ action: 'invalidate-channel', pending: 'kept', code }])
    expect((await client.open('a', { fail_on_uncommitted_rows: true })).status).toBe(409)
    await clock.advance(1000)
    const status = await client.statusOf('a')
    expect(status).toMatchObject({ channel_status_code: code, last_committed_offset_token: '2' })
    expect((await client.open('a', { fail_on_uncommitted_rows: true })).status).toBe(200)
    expect(await rowCount(emulator)).toBe(2)
  })

  it('is invalidated by a request that names it, and no other of that request', async () => {
    const { client } = await emulated()
    for (const name of ['a', 'b']) await client.open(name)
    await client.faults([{ operation: 'status', channel: 'b', action: 'invalidate-channel', count: 1 }])
    const { a, b } = (await client.status(['a', 'b'])).json.channel_statuses
    expect([a.channel_status_code, b.channel_status_code]).toEqual(['SUCCESS', 'ERR_CHANNEL_MUST_BE_REOPENED'])
  })

  it('is told of a gap in its rows', async () => {
    const { client, token } = await halfCommitted()
    await client.faults([{ operation: 'append', action: 'row-gap', count: 1 }])
    const refused = await client.append('a', token, [{ uuid: '3' }])
    expect([refused.status, refused.json.code]).toEqual([400, GAP])
    expect((await client.statusOf('a'))?.channel_status_code).toBe(GAP)
  })

  it('loses its pending rows with a node, in silence: the next append is ahead of the server', async () => {
    const { client, clock, emulator, token, committed } = await halfCommitted()
    await client.faults([{ action: 'lose-pending' }])
    await clock.advance(5000)
    expect(await client.statusOf('a')).toMatchObject({ channel_status_code: 'SUCCESS' })
    expect(await committed()).toBe('1')
    expect((await client.append('a', token, [{ uuid: '3' }])).json.code).toBe(GAP)
    expect(await rowCount(emulator)).toBe(1)
  })

  it('that has lost them takes the same append again, if its client still has no answer to it', async () => {
    const { client, clock, emulator } = await emulated()
    const token = await client.opened('a')
    await client.faults([{ operation: 'append', action: 'lose-answer' }])
    await expect(client.append('a', token, [{ uuid: '1' }], upTo('1'))).rejects.toThrow()
    await client.faults([{ action: 'lose-pending' }])
    expect((await client.append('a', token, [{ uuid: '1' }], upTo('1'))).status).toBe(200)
    await clock.advance(1000)
    await client.status(['a'])
    expect(await rowCount(emulator)).toBe(1)
  })

  it('is dropped, or expires: unknown to the status, and another one when it is opened', async () => {
    const { client, emulator, token } = await halfCommitted()
    const before = (await client.statusOf('a'))?.created_on_ms
    await client.faults([{ action: 'drop-channel', channel: 'a' }])
    expect(await client.statusOf('a')).toBeUndefined()
    const refused = await client.append('a', token, [{ uuid: '3' }])
    expect([refused.status, refused.json.code]).toEqual([404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED'])
    const { channel_status: status } = (await client.open('a')).json
    expect(status.last_committed_offset_token).toBeNull()
    expect(status.created_on_ms).not.toBe(before)
    expect(await rowCount(emulator)).toBe(1)
  })
})

describe('the table', () => {
  it('is replaced: empty, and its channels have forgotten everything', async () => {
    const { client, clock, emulator } = await halfCommitted()
    const before = (await client.statusOf('a'))?.created_on_ms
    await client.faults([{ action: 'replace-table', table: 'sensehat_sensor_data' }])
    expect(await rowCount(emulator)).toBe(0)
    const { channel_status: status, next_continuation_token: token } = (await client.open('a')).json
    expect(status).toMatchObject({ last_committed_offset_token: null, rows_parsed: 0 })
    expect(status.created_on_ms).not.toBe(before)
    await client.append('a', token, [{ uuid: '3' }], upTo('1'))
    await clock.advance(5000)
    await client.status(['a'])
    expect(await rowCount(emulator)).toBe(1)
  })

  it('that is named must be there', async () => {
    const { client } = await emulated()
    const refused = await client.faults([{ action: 'replace-table', table: 'SENSEHAT_SENSOR_DATE' }])
    expect(refused.json.message).toBe(
      'faults[0].table is "SENSEHAT_SENSOR_DATE", which is unknown; did you mean "SENSEHAT_SENSOR_DATA"?',
    )
  })
})

describe('the service', () => {
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const token = (scope: string) => ({
    body: new URLSearchParams({ grant_type: grant, scope }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const PATH = '/v2/streaming/databases/DEMO/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE/channels/a'

  it('lets the tokens expire that it has handed out; a new one is good', async () => {
    const { client } = await emulated()
    const old = (await client.call('POST', '/oauth/token', token('127.0.0.1'))).text
    const open = async (credential: string) => client.call('PUT', PATH, { credential })
    expect((await open(old)).status).toBe(200)
    await client.faults([{ action: 'expire-tokens' }])
    const refused = await open(old)
    expect([refused.status, refused.json.code]).toEqual([401, '390318'])
    const fresh = (await client.call('POST', '/oauth/token', token('127.0.0.1'))).text
    expect((await open(fresh)).status).toBe(200)
  })

  it('expires tokens of an earlier process, too', async () => {
    const before = await emulated()
    const old = (await before.client.call('POST', '/oauth/token', token('127.0.0.1'))).text
    await before.emulator.close()
    const { client } = await emulated({ data: before.settings.data })
    expect((await client.call('PUT', PATH, { credential: old })).status).toBe(200)
    await client.faults([{ action: 'expire-tokens' }])
    expect((await client.call('PUT', PATH, { credential: old })).status).toBe(401)
  })

  it('fails over: the old name answers 410, the account names the new one, and everything is to be opened anew', async () => {
    const { client } = await emulated()
    const old = (await client.call('POST', '/oauth/token', token('127.0.0.1'))).text
    const append = await client.opened('a')
    await client.faults([{ operation: 'append', action: 'fail-over', count: 1 }])
    const gone = await client.append('a', append, [{ uuid: '1' }])
    expect([gone.status, gone.json.code]).toEqual([410, 'PIPE_FAILED_OVER'])
    expect((await client.call('PUT', PATH, { credential: old })).status).toBe(410)
    expect((await client.call('GET', '/v2/streaming/hostname')).text).toBe('localhost')
    expect((await client.call('POST', '/oauth/token', token('127.0.0.1'))).json.code).toBe('invalid_scope')
    const host = { host: 'localhost:8085' }
    expect((await client.call('PUT', PATH, { credential: old, headers: host })).status).toBe(401)
    const fresh = (await client.call('POST', '/oauth/token', token('localhost'))).text
    const status = await client.call('POST', `${PATH.replace('/channels/a', '')}:bulk-channel-status`, {
      body: JSON.stringify({ channel_names: ['a'] }),
      credential: fresh,
      headers: host,
    })
    expect(status.json.channel_statuses.a.channel_status_code).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    expect((await client.call('PUT', PATH, { credential: fresh, headers: host })).status).toBe(200)
  })

  it('fails over to a name of your own, and back to the first one', async () => {
    const { client } = await emulated()
    const hostname = async () => (await client.call('GET', '/v2/streaming/hostname')).text
    await client.faults([{ action: 'fail-over', to: 'other.emulator' }])
    expect(await hostname()).toBe('other.emulator')
    await client.faults([{ action: 'fail-over' }])
    expect(await hostname()).toBe('localhost')
    await client.faults([{ action: 'fail-over' }])
    expect(await hostname()).toBe('127.0.0.1')
    expect((await client.open('a')).status).toBe(200)
  })
})

describe('a happening', () => {
  it('comes when its time has come, and again and again, so many times', async () => {
    const { client, clock } = await emulated()
    const code = async () => (await client.statusOf('a'))?.channel_status_code
    await client.open('a')
    await client.faults([{ action: 'invalidate-channel', after: '5s', every: '10s', count: 2 }])
    await clock.advance(4999)
    expect(await code()).toBe('SUCCESS')
    for (const ms of [1, 10_000]) {
      await clock.advance(ms)
      expect(await code()).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
      await client.open('a')
    }
    await clock.advance(60_000)
    expect(await code()).toBe('SUCCESS')
  })

  it('strikes the channels of its pattern by chance, the same ones for the same seed', async () => {
    const { client } = await emulated()
    const names = Array.from({ length: 12 }, (_, i) => `pi-${i}`)
    const struck = async (seed: number) => {
      for (const name of [...names, 'nas']) await client.open(name)
      await client.faults([{ action: 'invalidate-channel', channel: 'pi-*', probability: 0.5, seed }])
      const statuses = (await client.status([...names, 'nas'])).json.channel_statuses
      expect(statuses.nas.channel_status_code).toBe('SUCCESS')
      return names.filter((name) => statuses[name].channel_status_code !== 'SUCCESS')
    }
    const first = await struck(5)
    expect(first.length).toBeGreaterThan(0)
    expect(first.length).toBeLessThan(names.length)
    expect(await struck(5)).toEqual(first)
    expect(await struck(6)).not.toEqual(first)
  })
})
