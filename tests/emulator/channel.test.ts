import { describe, expect, it } from 'vitest'
import { emulated, rowCount, TABLE, upTo } from './harness.ts'

const COMMIT = 1000

describe('a Named Channel', () => {
  it('opens with SUCCESS, all 14 fields, the last error once more for the SDK, and no committed offset token', async () => {
    const { client } = await emulated()
    const { status, json } = await client.open('pi-1')
    expect(status).toBe(200)
    expect(json.next_continuation_token).toEqual(expect.any(String))
    expect(Object.keys(json.channel_status)).toHaveLength(15)
    expect(json.channel_status).toMatchObject({
      database_name: 'DEMO',
      schema_name: 'DEMO',
      pipe_name: 'SENSEHAT_STREAMING_PIPE',
      channel_name: 'pi-1',
      channel_status_code: 'SUCCESS',
      last_committed_offset_token: null,
      rows_inserted: 0,
      rows_parsed: 0,
      rows_error_count: 0,
    })
  })

  it('buffers an append and commits it after the delay: 200 alone proves nothing', async () => {
    const { client, clock, emulator } = await emulated()
    const { json } = await client.open('pi-1')
    await client.append('pi-1', json.next_continuation_token, [{ uuid: 'a' }], upTo('1'))
    expect((await client.status(['pi-1'])).json.channel_statuses['pi-1'].last_committed_offset_token).toBeNull()
    expect(await rowCount(emulator)).toBe(0)
    await clock.advance(COMMIT)
    expect((await client.status(['pi-1'])).json.channel_statuses['pi-1'].last_committed_offset_token).toBe('1')
    expect(await rowCount(emulator)).toBe(1)
  })

  it('answers a used continuation token with 200, the current token and no new row, before and after the commit', async () => {
    const { client, clock, emulator } = await emulated()
    const first = (await client.open('pi-1')).json.next_continuation_token
    const second = (await client.append('pi-1', first, [{ uuid: 'a' }], upTo('1'))).json.next_continuation_token
    const early = await client.append('pi-1', first, [{ uuid: 'changed' }], upTo('9'))
    expect([early.status, early.json.next_continuation_token]).toEqual([200, second])
    await clock.advance(COMMIT)
    const late = await client.append('pi-1', first, [{ uuid: 'changed' }], upTo('9'))
    expect([late.status, late.json.next_continuation_token]).toEqual([200, second])
    await clock.advance(COMMIT)
    const { json } = await client.status(['pi-1'])
    expect(json.channel_statuses['pi-1']).toMatchObject({ last_committed_offset_token: '1', rows_parsed: 1 })
    expect(await rowCount(emulator)).toBe(1)
    expect(emulator.stats().ignoredAppends).toBe(2)
  })

  it('refuses the token of an older open as stale', async () => {
    const { client } = await emulated()
    const old = (await client.open('pi-1')).json.next_continuation_token
    await client.open('pi-1')
    const reply = await client.append('pi-1', old, [{ uuid: 'a' }])
    expect(reply.status).toBe(400)
    expect(reply.json).toEqual({
      code: 'STALE_CONTINUATION_TOKEN_SEQUENCER',
      message: 'Channel sequencer in the continuation token is stale. Please reopen the channel',
    })
  })

  it('gives two clients on one name to the last opener only', async () => {
    const { client } = await emulated()
    const one = (await client.open('pi-1')).json.next_continuation_token
    const two = (await client.open('pi-1')).json.next_continuation_token
    expect((await client.append('pi-1', one, [{ uuid: 'a' }])).json.code).toBe('STALE_CONTINUATION_TOKEN_SEQUENCER')
    expect((await client.append('pi-1', two, [{ uuid: 'b' }])).status).toBe(200)
  })

  it('makes one channel of opens that come at the same time, and lets only the last of them write', async () => {
    const { client } = await emulated()
    const opens = await Promise.all(Array.from({ length: 8 }, () => client.open('pi-1')))
    const tokens = opens.map((open) => open.json.next_continuation_token)
    expect(new Set(tokens).size).toBe(8)
    const appends = await Promise.all(tokens.map((token) => client.append('pi-1', token, [{ uuid: 'a' }])))
    expect(appends.filter((append) => append.status === 200)).toHaveLength(1)
  })

  it('stores the rows of two appends with one token only once, even when they come at the same time', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    const both = await Promise.all([1, 2].map(() => client.append('pi-1', token, [{ uuid: 'a' }], upTo('1'))))
    expect(both.map((reply) => reply.status)).toEqual([200, 200])
    expect(both[0]?.json.next_continuation_token).toBe(both[1]?.json.next_continuation_token)
    await clock.advance(COMMIT)
    await client.status(['pi-1'])
    expect(await rowCount(emulator)).toBe(1)
  })

  it('discards uncommitted rows at a plain reopen', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    await client.append('pi-1', token, [{ uuid: 'a' }], upTo('1'))
    expect((await client.open('pi-1')).json.channel_status.last_committed_offset_token).toBeNull()
    await clock.advance(COMMIT)
    expect(await rowCount(emulator)).toBe(0)
  })

  it('refuses a reopen with fail_on_uncommitted_rows until they have committed', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    await client.append('pi-1', token, [{ uuid: 'a' }], upTo('1'))
    const refused = await client.open('pi-1', { fail_on_uncommitted_rows: true })
    expect([refused.status, refused.json.code]).toEqual([409, 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA'])
    await clock.advance(COMMIT)
    const reopened = await client.open('pi-1', { fail_on_uncommitted_rows: true })
    expect([reopened.status, reopened.json.channel_status.last_committed_offset_token]).toEqual([200, '1'])
    expect(await rowCount(emulator)).toBe(1)
  })

  it('commits many appends at once: the committed offset token jumps', async () => {
    const { client, clock, emulator } = await emulated()
    let token = (await client.open('pi-1')).json.next_continuation_token
    for (let i = 1; i <= 5; i += 1)
      token = (await client.append('pi-1', token, [{ uuid: `r${i}` }], upTo(String(i)))).json.next_continuation_token
    const seen = new Set<unknown>()
    for (let i = 0; i < 3; i += 1) {
      seen.add((await client.status(['pi-1'])).json.channel_statuses['pi-1'].last_committed_offset_token)
      await clock.advance(COMMIT)
    }
    expect([...seen]).toEqual([null, '5'])
    expect(await rowCount(emulator)).toBe(5)
  })

  it('never compares, sorts or de-duplicates: rows sent twice are there twice, and any token is taken', async () => {
    const { client, clock, emulator } = await emulated()
    let token = (await client.open('pi-1')).json.next_continuation_token
    const sent = ['9', '10', '9', 'not a number']
    for (const end of sent)
      token = (await client.append('pi-1', token, [{ uuid: 'same' }], upTo(end))).json.next_continuation_token
    await clock.advance(COMMIT)
    const { json } = await client.status(['pi-1'])
    expect(json.channel_statuses['pi-1'].last_committed_offset_token).toBe('not a number')
    const [row] = await emulator.query(`SELECT COUNT(*) AS n, COUNT(DISTINCT uuid) AS d FROM ${TABLE}`)
    expect(row).toEqual({ n: 4, d: 1 })
    expect(await emulator.query('SELECT uuid, copies FROM SENSEHAT_DUPLICATES')).toEqual([{ uuid: 'same', copies: 4 }])
  })

  it('passes over a bad row: 200, the offset token moves, the count stays, the row is in the error table', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    const body = '{"uuid":"a","seq":1}\n{"uuid":"b","seq":"two"}\nno json\n[1]\n{"uuid":"c","seq":3}\n'
    expect((await client.append('pi-1', token, body, upTo('5', '1'))).status).toBe(200)
    await clock.advance(COMMIT)
    const { json } = await client.status(['pi-1'])
    expect(json.channel_statuses['pi-1']).toMatchObject({
      channel_status_code: 'SUCCESS',
      last_committed_offset_token: '5',
      rows_parsed: 5,
      rows_inserted: 2,
      rows_error_count: 3,
      last_error_offset_upper_bound: '5',
      last_error_message: 'Error parsing JSON',
      last_error_timestamp: expect.any(Number),
    })
    expect((await client.open('pi-1')).json.channel_status.rows_error_count).toBe(3)
    const errors = await emulator.query(
      `SELECT error_code, error_data:"$1" AS line, error_metadata:details.channel_name AS channel
       FROM ERROR_TABLE(${TABLE}) ORDER BY error_code, line DESC`,
    )
    expect(errors).toEqual([
      { error_code: 100038, line: '{"uuid":"b","seq":"two"}', channel: 'pi-1' },
      { error_code: 100069, line: 'no json', channel: 'pi-1' },
      { error_code: 100069, line: '[1]', channel: 'pi-1' },
    ])
  })

  it('forgets offset token and counters at a drop and keeps the rows', async () => {
    const { client, clock, emulator } = await emulated()
    const opened = (await client.open('pi-1')).json
    await client.append('pi-1', opened.next_continuation_token, [{ uuid: 'a' }], upTo('1'))
    expect((await client.drop('pi-1', { fail_on_uncommitted_rows: true })).status).toBe(409)
    await clock.advance(COMMIT)
    expect((await client.drop('pi-1')).status).toBe(200)
    expect((await client.status(['pi-1'])).json.channel_statuses).toEqual({})
    const again = (await client.open('pi-1')).json
    expect(again.channel_status).toMatchObject({ last_committed_offset_token: null, rows_parsed: 0, rows_inserted: 0 })
    expect(again.channel_status.created_on_ms).toBeGreaterThan(opened.channel_status.created_on_ms)
    expect((await client.append('pi-1', opened.next_continuation_token, [{ uuid: 'b' }])).status).toBe(400)
    expect(await rowCount(emulator)).toBe(1)
  })

  it('takes an offset token given at open for the committed one', async () => {
    const { client } = await emulated()
    const { json } = await client.open('pi-1', { offset_token: '17.ab12.x.3' })
    expect(json.channel_status.last_committed_offset_token).toBe('17.ab12.x.3')
  })

  it('leaves unknown names out of the status and asks for exact case, while paths ignore it', async () => {
    const { client } = await emulated()
    await client.open('pi-1')
    const { json } = await client.status(['pi-1', 'never-opened', 'PI-1'])
    expect(Object.keys(json.channel_statuses)).toEqual(['pi-1'])
    const again = await client.open('PI-1')
    expect(again.json.channel_status.channel_name).toBe('pi-1')
    expect(again.json.next_continuation_token).toMatch(/^1_0_/)
  })

  it('commits many channels together and keeps the order of each', async () => {
    const { client, clock, emulator } = await emulated()
    const names = Array.from({ length: 20 }, (_, i) => `pi-${i}`)
    await Promise.all(
      names.map(async (name) => {
        let token = (await client.open(name)).json.next_continuation_token
        for (let seq = 1; seq <= 5; seq += 1)
          token = (await client.append(name, token, [{ hostname: name, seq }], upTo(String(seq)))).json
            .next_continuation_token
      }),
    )
    await clock.advance(COMMIT)
    const { json } = await client.status(names)
    expect(names.map((name) => json.channel_statuses[name].last_committed_offset_token)).toEqual(names.map(() => '5'))
    const rows = await emulator.query(`SELECT hostname, list(seq ORDER BY rowid) AS s FROM ${TABLE} GROUP BY hostname`)
    expect(rows).toHaveLength(20)
  })

  it('is deleted after 30 days without activity', async () => {
    const { client, clock, emulator } = await emulated({ token_lifetime: 400 * 24 * 3600 * 1000, pat: 'pat-secret' })
    const token = (await client.open('pi-1', { offset_token: '5' })).json.next_continuation_token
    const patient = new (client.constructor as typeof import('./harness.ts').Client)(emulator, 'pat-secret')
    await clock.advance(29 * 24 * 3600 * 1000)
    expect(Object.keys((await patient.status(['pi-1'])).json.channel_statuses)).toEqual(['pi-1'])
    await clock.advance(2 * 24 * 3600 * 1000)
    expect((await patient.status(['pi-1'])).json.channel_statuses).toEqual({})
    expect((await patient.append('pi-1', token, [{ uuid: 'a' }])).status).toBe(404)
    expect((await patient.open('pi-1')).json.channel_status.last_committed_offset_token).toBeNull()
  })
})

describe('names in paths', () => {
  it('fold to upper case unless quoted, and the default pipe of a table is there', async () => {
    const { client } = await emulated()
    const table = 'SENSEHAT_SENSOR_DATA-STREAMING'
    for (const pipe of [
      'databases/demo/schemas/Demo/pipes/sensehat_streaming_pipe',
      'databases/%22DEMO%22/schemas/DEMO/pipes/%22SENSEHAT_STREAMING_PIPE%22',
      `databases/DEMO/schemas/DEMO/pipes/%22${table}%22`,
      `databases/DEMO/schemas/DEMO/pipes/${table}`,
    ])
      expect((await client.open('pi-1', {}, pipe)).status).toBe(200)
    const wrong = await client.open('pi-1', {}, 'databases/%22demo%22/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE')
    expect([wrong.status, wrong.json.code]).toEqual([404, 'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'])
  })

  it('tell which part does not exist', async () => {
    const { client } = await emulated()
    const codes = await Promise.all(
      [
        'databases/X/schemas/DEMO/pipes/P',
        'databases/DEMO/schemas/X/pipes/P',
        'databases/DEMO/schemas/DEMO/pipes/P',
      ].map(async (pipe) => (await client.status(['a'], pipe)).json.code),
    )
    expect(codes).toEqual([
      'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
      'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
      'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
  })

  it('may hold characters that need escaping, channel names above all', async () => {
    const { client } = await emulated()
    const name = 'node:a@b/1 %'
    expect((await client.open(name)).json.channel_status.channel_name).toBe(name)
    expect(Object.keys((await client.status([name])).json.channel_statuses)).toEqual([name])
  })

  it('refuse the reserved name of the Elastic Channel, in any case of letters', async () => {
    const { client } = await emulated()
    for (const name of ['ELASTIC', 'elastic', '"Elastic"']) {
      expect((await client.open(name)).status).toBe(400)
      expect((await client.drop(name)).status).toBe(400)
    }
  })
})
