import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emulated, rowCount, upTo } from './harness.ts'
import { skippable, zstdFrame } from './zstd-frame.ts'

describe('the body of an append', () => {
  it('may be gzip or plain, with CRLF, and without the last newline', async () => {
    const { client, clock, emulator } = await emulated()
    let token = (await client.open('pi-1')).json.next_continuation_token
    const bodies: readonly (readonly [body: string | Buffer, headers: Record<string, string>])[] = [
      ['{"uuid":"a"}\n{"uuid":"b"}\n', {}],
      ['{"uuid":"c"}\r\n{"uuid":"d"}\r\n', {}],
      ['{"uuid":"e"}\n{"uuid":"f"}', {}],
      [gzipSync('{"uuid":"g"}\n'), { 'content-encoding': 'gzip' }],
      ['{"uuid":"h"}\n', { 'content-encoding': 'identity' }],
    ]
    for (const [body, headers] of bodies) {
      const reply = await client.append('pi-1', token, body, { ...upTo('1'), headers })
      expect(reply.status).toBe(200)
      token = reply.json.next_continuation_token
    }
    await clock.advance(1000)
    await client.status(['pi-1'])
    expect(await rowCount(emulator)).toBe(8)
  })

  it('may be zstd on every Node, whatever a header says of its size', async () => {
    const { client, clock, emulator } = await emulated()
    let token = await client.opened('pi-1')
    const size = 'x-snowflake-uncompressed-content-length'
    for (const headers of [{}, { [size]: '26' }, { [size]: '1' }, { [size]: 'many' }]) {
      // In two frames: there are decoders that stop after the first.
      const body = Buffer.concat([zstdFrame('{"uuid":"a"}\n'), skippable(3), zstdFrame('{"uuid":"b"}\n')])
      const reply = await client.append('pi-1', token, body, { headers: { 'content-encoding': 'zstd', ...headers } })
      expect(reply.status).toBe(200)
      token = reply.json.next_continuation_token
    }
    await clock.advance(1000)
    await client.status(['pi-1'])
    expect(await rowCount(emulator)).toBe(8)
  })

  it('in another encoding is refused with those there are', async () => {
    const { client } = await emulated()
    const token = await client.opened('pi-1')
    for (const encoding of ['br', 'gzip, zstd', 'constructor']) {
      const reply = await client.append('pi-1', token, 'x', { headers: { 'content-encoding': encoding } })
      expect(reply.status).toBe(415)
      expect(reply.json.message).toContain('identity, gzip, zstd')
    }
  })

  it('may not be over 4 MB on the wire, whatever it grows to', async () => {
    const { client } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    const rows = Array.from({ length: 5 }, (_, i) => `{"uuid":"${i}","rowid":"${'x'.repeat(1024 * 1024)}"}\n`).join('')
    expect((await client.append('pi-1', token, rows)).status).toBe(413)
    const small = await client.append('pi-1', token, gzipSync(rows), { headers: { 'content-encoding': 'gzip' } })
    expect(small.status).toBe(200)
  })

  it('is refused when broken or empty, and the token stays good', async () => {
    const { client } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    const broken = await client.append('pi-1', token, 'no gzip', { headers: { 'content-encoding': 'gzip' } })
    const notText = await client.append('pi-1', token, Buffer.from([0x7b, 0xff, 0x7d]))
    const empty = await client.append('pi-1', token, '\n')
    const noZstd = await client.append('pi-1', token, 'no zstd', { headers: { 'content-encoding': 'zstd' } })
    const cutOff = Buffer.concat([zstdFrame('{"uuid":"a"}\n'), zstdFrame('{"uuid":"b"}\n').subarray(0, -1)])
    const half = await client.append('pi-1', token, cutOff, { headers: { 'content-encoding': 'zstd' } })
    expect([broken, notText, empty, noZstd, half].map(({ status }) => status)).toEqual([400, 400, 400, 400, 400])
    expect((await client.append('pi-1', token, [{ uuid: 'a' }])).status).toBe(200)
  })

  it('is not looked at when the token is stale, missing or garbage', async () => {
    const { client } = await emulated()
    await client.open('pi-1')
    for (const token of ['garbage', '', '0_0_zzz'])
      expect((await client.append('pi-1', token, 'x')).json.code).toBe('STALE_CONTINUATION_TOKEN_SEQUENCER')
  })

  it('may hold any JSON at all: every row is counted once, as stored or as bad, and the commit goes through', async () => {
    const { client, clock, emulator } = await emulated()
    let token = (await client.open('pi-1')).json.next_continuation_token
    const keys = ['uuid', 'ts', 'datetimestamp', 'temperature', 'simulated', 'seq', 'extra', 'other', '__proto__']
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constant('a\0b'), fc.maxSafeInteger())
    const rows = fc.sample(fc.dictionary(fc.constantFrom(...keys), value), 500)
    for (const part of [rows.slice(0, 250), rows.slice(250)])
      token = (await client.append('pi-1', token, part, upTo('1'))).json.next_continuation_token
    await clock.advance(1000)
    const { rows_parsed, rows_inserted, rows_error_count } = (await client.status(['pi-1'])).json.channel_statuses[
      'pi-1'
    ]
    expect([rows_parsed, rows_inserted + rows_error_count]).toEqual([500, 500])
    expect(await rowCount(emulator)).toBe(rows_inserted)
    const [errors] = await emulator.query('SELECT COUNT(*) AS n FROM ERROR_TABLE(SENSEHAT_SENSOR_DATA)')
    expect(errors?.n).toBe(rows_error_count)
  })

  it('may come ten times a second where that limit is on', async () => {
    const { client, clock } = await emulated({ requests_per_second: 10 })
    let token = (await client.open('pi-1')).json.next_continuation_token
    for (let i = 0; i < 10; i += 1)
      token = (await client.append('pi-1', token, [{ uuid: 'a' }])).json.next_continuation_token
    const refused = await client.append('pi-1', token, [{ uuid: 'a' }])
    expect([refused.status, refused.json.code]).toEqual([429, '390701'])
    await clock.advance(1000)
    expect((await client.append('pi-1', token, [{ uuid: 'a' }])).status).toBe(200)
  })
})
