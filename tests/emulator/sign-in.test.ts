import { createPublicKey } from 'node:crypto'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { emulated, keyPairJwt, newKeys } from './harness.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

function form(fields: Record<string, string>) {
  return {
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
}

describe('the ingest host', () => {
  it('is the name in the Host header, as plain text without the port', async () => {
    const { client } = await emulated()
    const reply = await client.call('GET', '/v2/streaming/hostname', { headers: { host: 'emulator.local:8085' } })
    expect(reply.headers['content-type']).toBe('text/plain')
    expect(reply.text).toBe('emulator.local')
  })

  it('comes as JSON when the emulator is told to follow the documentation', async () => {
    const { client } = await emulated({ answers: 'json' })
    expect((await client.call('GET', '/v2/streaming/hostname')).json).toEqual({ hostname: '127.0.0.1' })
    const token = await client.call('POST', '/oauth/token', form({ grant_type: GRANT, scope: '127.0.0.1' }))
    expect(token.json.token.split('.')).toHaveLength(3)
  })
})

describe('the scoped token', () => {
  it('is plain text, a JWT with exp, and opens channels', async () => {
    const { client, clock } = await emulated()
    const reply = await client.call('POST', '/oauth/token', form({ grant_type: GRANT, scope: '127.0.0.1' }))
    expect(reply.headers['content-type']).toBe('text/plain')
    expect(decodeJwt(reply.text).exp).toBe(Math.floor(clock.now() / 1000) + 3600)
    const path = '/v2/streaming/databases/DEMO/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE/channels/a'
    expect((await client.call('PUT', path, { credential: reply.text })).status).toBe(200)
    await clock.advance(3_600_000)
    const late = await client.call('PUT', path, { credential: reply.text })
    expect([late.status, late.json.code]).toEqual([401, '390318'])
  })

  it('is given for an assertion without header, with or without scope and role', async () => {
    const { client, clock } = await emulated()
    const assertion = await keyPairJwt(clock)
    for (const scope of [{}, { scope: '127.0.0.1 session:role:SENSEHAT_STREAMING_ROLE' }])
      expect(
        (
          await client.call('POST', '/oauth/token', {
            ...form({ grant_type: GRANT, assertion, ...scope }),
            credential: '',
          })
        ).status,
      ).toBe(200)
  })

  it('is refused for another host, another grant, and no JWT', async () => {
    const { client } = await emulated()
    const call = async (fields: Record<string, string>, credential?: string) =>
      (
        await client.call('POST', '/oauth/token', {
          ...form(fields),
          ...(credential === undefined ? {} : { credential }),
        })
      ).status
    expect(await call({ grant_type: GRANT, scope: 'other.example' })).toBe(400)
    expect(await call({ grant_type: 'password' })).toBe(400)
    expect(await call({ grant_type: GRANT }, '')).toBe(401)
  })

  it('outlives a restart of the emulator', async () => {
    const first = await emulated()
    const token = (await first.client.call('POST', '/oauth/token', form({ grant_type: GRANT }))).text
    await first.emulator.close()
    const second = await emulated({ data: first.settings.data }, first.clock)
    expect((await second.client.call('GET', '/v2/streaming/hostname', { credential: token })).status).toBe(200)
  })
})

describe('the key-pair JWT', () => {
  it('may be signed with any key until one is registered for the user', async () => {
    const { client, clock, emulator } = await emulated()
    const own = newKeys()
    const mine = await keyPairJwt(clock, { privateKey: own.privateKey, publicKey: createPublicKey(own.pem) })
    const hostname = async (credential: string) =>
      (await client.call('GET', '/v2/streaming/hostname', { credential })).status
    expect(await hostname(await keyPairJwt(clock))).toBe(200)
    emulator.registerUserKey('sensehat_streaming_user', own.pem)
    expect(await hostname(await keyPairJwt(clock))).toBe(401)
    expect(await hostname(mine)).toBe(200)
    const stolen = newKeys()
    const forged = await keyPairJwt(clock, { privateKey: stolen.privateKey, publicKey: createPublicKey(own.pem) })
    expect(await hostname(forged)).toBe(401)
  })

  it('must name account and user in upper case, a Base64 fingerprint, and live an hour at most', async () => {
    const { client, clock } = await emulated()
    const wrong = [
      { subject: 'acme.SENSEHAT_STREAMING_USER' },
      { fingerprint: 'ab'.repeat(32) },
      { lifeSeconds: 3601 },
      { lifeSeconds: 0 },
    ]
    for (const options of wrong) {
      const credential = await keyPairJwt(clock, options)
      const reply = await client.call('GET', '/v2/streaming/hostname', { credential })
      expect([reply.status, reply.json.code]).toEqual([401, '390144'])
    }
  })

  it('is needed on every streaming call, and so is an Accept header', async () => {
    const { client, emulator } = await emulated({ pat: 'pat-secret' })
    const path = '/v2/streaming/databases/DEMO/schemas/DEMO/pipes/SENSEHAT_STREAMING_PIPE/channels/a'
    expect((await client.call('PUT', path, { credential: '' })).status).toBe(401)
    expect((await client.call('PUT', path, { credential: 'nonsense' })).status).toBe(401)
    expect((await client.call('PUT', path, { credential: 'pat-secret' })).status).toBe(200)
    const { request } = await import('undici')
    const bare = await request(`${emulator.url}/v2/streaming/hostname`)
    expect(await bare.body.json()).toMatchObject({ code: '391902' })
  })
})
