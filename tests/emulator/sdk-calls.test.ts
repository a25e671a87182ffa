import { describe, expect, it } from 'vitest'
import { emulated, PIPE } from './harness.ts'

/** The calls of the official SDK that are not documented; what it makes of the answers is in tests/interop/. */
describe('pipe-info', () => {
  const ask = async (path: string) => {
    const { client, clock } = await emulated()
    const body = JSON.stringify({ generate_new_token: true, encryption_version: 'AES-CTR-128.1' })
    return { clock, reply: await client.call('POST', `/v2/streaming/${path}:pipe-info`, { body }) }
  }

  it('names a stage of each kind that leads nowhere, keys, and ten parameters, none of them under two names', async () => {
    const { clock, reply } = await ask(PIPE)
    expect(reply.status).toBe(200)
    const location = {
      location_type: 'S3',
      bucket_name: expect.stringMatching(/\.invalid$/),
      expiry_time_ms: clock.now() + 3_600_000,
      creds: { AWS_KEY_ID: expect.any(String), AWS_SECRET_KEY: expect.any(String), AWS_TOKEN: expect.any(String) },
    }
    expect(reply.json).toMatchObject({
      pipe: 'SENSEHAT_STREAMING_PIPE',
      valid: true,
      rowset_stage_location: location,
      durable_stage_location: location,
      pipe_encryption_info: { pipe_key: expect.any(String), pipe_key_id: '1', diversifier: '1' },
    })
    const parameters = Object.values(reply.json.rowset_stage_location.parameters)
    expect(parameters).toHaveLength(10)
    for (const parameter of parameters) expect(parameter).toBeLessThan(2 ** 16)
    // SDK 1.4.0 reads both names into one field, and refuses the answer that has both.
    expect(reply.json).not.toHaveProperty('stage_location')
    expect(reply.json).not.toHaveProperty('encryption_info')
  })

  it('is there for the default pipe of a table, and not for a pipe that is not', async () => {
    const own = await ask('databases/DEMO/schemas/DEMO/pipes/%22SENSEHAT_SENSOR_DATA-STREAMING%22')
    expect([own.reply.status, own.reply.json.pipe]).toEqual([200, 'SENSEHAT_SENSOR_DATA-STREAMING'])
    const none = await ask('databases/DEMO/schemas/DEMO/pipes/NONE')
    expect([none.reply.status, none.reply.json.code]).toEqual([404, 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'])
  })

  it('can be disturbed like any call', async () => {
    const { client } = await emulated()
    await client.faults([{ operation: 'pipe-info', action: 'forbidden' }])
    expect((await client.call('POST', `/v2/streaming/${PIPE}:pipe-info`, { body: '{}' })).status).toBe(403)
  })
})

describe('the other calls of the official SDK', () => {
  it('telemetry is taken and forgotten, with an answer it can read', async () => {
    const { client } = await emulated()
    const reply = await client.call('POST', '/telemetry/send/sessionless', { body: '{"logs":[]}' })
    expect(reply.status).toBe(200)
    expect(Object.keys(reply.json).sort()).toEqual(['code', 'data', 'message', 'success'])
  })

  it('files in cloud storage are refused in plain words', async () => {
    const { client } = await emulated()
    const path = `/v2/streaming/data/${PIPE}/channels/pi-1/filebuffer?continuationToken=0_0`
    const reply = await client.call('POST', path, { body: '{}' })
    expect([reply.status, reply.json.code]).toEqual([400, 'NOT_EMULATED'])
    expect(reply.json.message).toContain('in the body of requests only')
  })

  it('paths may name organization and account', async () => {
    const { client } = await emulated()
    const pipe = `org/ACME/accounts/PROD/${PIPE}`
    const opened = await client.open('pi-1', {}, pipe)
    expect(opened.status).toBe(200)
    const appended = await client.append('pi-1', opened.json.next_continuation_token, [{ uuid: 'a' }], { pipe })
    expect(appended.status).toBe(200)
    expect(Object.keys((await client.status(['pi-1'], pipe)).json.channel_statuses)).toEqual(['pi-1'])
    const rows = `/v2/streaming/data/org/ACME/accounts/PROD/databases/DEMO/schemas/DEMO/tables/SENSEHAT_SENSOR_DATA/rows`
    expect((await client.call('POST', rows, { body: '{"uuid":"b"}' })).status).toBe(200)
  })

  it('a drop is answered with JSON', async () => {
    const { client } = await emulated()
    await client.open('pi-1')
    const reply = await client.call('DELETE', `/v2/streaming/${PIPE}/channels/pi-1`)
    expect([reply.status, reply.json.status_code]).toEqual([200, 0])
  })
})

it('a limit of names in one bulk status can be set; by default there is none', async () => {
  const { client } = await emulated()
  const names = Array.from({ length: 2500 }, (_, i) => `pi-${i}`)
  expect((await client.status(names)).status).toBe(200)
  await client.disturb({ limits: { namesPerStatus: 200 } })
  expect((await client.status(names.slice(0, 200))).status).toBe(200)
  const refused = await client.status(names.slice(0, 201))
  expect([refused.status, refused.json.message]).toEqual([400, 'channel_names may hold 200 names'])
})
