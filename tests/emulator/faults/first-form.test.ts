import { describe, expect, it } from 'vitest'
import { emulated, rowCount, upTo } from '../harness.ts'

describe('a fault as it was always written', () => {
  it('answers in the place of the service, so many times, for one channel', async () => {
    const { client } = await emulated()
    const tokens = await Promise.all(['a', 'b'].map(async (n) => (await client.open(n)).json.next_continuation_token))
    await client.faults([
      {
        operation: 'append',
        channel: 'a',
        count: 2,
        action: 'answer',
        status: 503,
        body: 'ERR_X',
        headers: { 'retry-after': '1' },
      },
    ])
    const append = (name: string, i: number) => client.append(name, tokens[i], [{ uuid: name }])
    const first = await append('a', 0)
    expect([first.status, first.text, first.headers['retry-after']]).toEqual([503, 'ERR_X', '1'])
    expect((await append('b', 1)).status).toBe(200)
    expect((await append('a', 0)).status).toBe(503)
    expect((await append('a', 0)).status).toBe(200)
  })

  it('loses the request before it is processed, or the answer after', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('a')).json.next_continuation_token
    await client.faults([{ operation: 'append', count: 1, action: 'lose-request' }])
    await expect(client.append('a', token, [{ uuid: '1' }])).rejects.toThrow()
    expect(emulator.stats().appends).toBe(0)
    await client.faults([{ operation: 'append', count: 1, action: 'lose-answer' }])
    await expect(client.append('a', token, [{ uuid: '1' }], upTo('1'))).rejects.toThrow()
    expect(emulator.stats().appends).toBe(1)
    expect((await client.append('a', token, [{ uuid: '1' }], upTo('1'))).status).toBe(200)
    await clock.advance(1000)
    await client.status(['a'])
    expect(await rowCount(emulator)).toBe(1)
  })

  it('invalidates a channel, which then shows it in its status and loses what it had not committed', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('a')).json.next_continuation_token
    await client.append('a', token, [{ uuid: '1' }], upTo('1'))
    await client.faults([{ operation: 'status', count: 1, action: 'invalidate-channel', channel: 'a' }])
    const status = (await client.status(['a'])).json.channel_statuses.a
    expect(status.channel_status_code).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    expect((await client.append('a', token, [{ uuid: '2' }])).json.code).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    expect((await client.open('a')).json.channel_status.channel_status_code).toBe('SUCCESS')
    await clock.advance(1000)
    expect(await rowCount(emulator)).toBe(0)
  })

  it('freezes commits until it is taken back', async () => {
    const { client, clock, emulator } = await emulated()
    const token = (await client.open('a')).json.next_continuation_token
    await client.faults([{ operation: 'commit', action: 'freeze' }])
    await client.append('a', token, [{ uuid: '1' }], upTo('1'))
    await clock.advance(60_000)
    expect((await client.status(['a'])).json.channel_statuses.a.last_committed_offset_token).toBeNull()
    await client.faults([])
    expect((await client.status(['a'])).json.channel_statuses.a.last_committed_offset_token).toBe('1')
    expect(await rowCount(emulator)).toBe(1)
  })

  it('strikes by chance, the same way for the same seed', async () => {
    const { client } = await emulated()
    const run = async (seed: number) => {
      await client.faults([{ operation: 'hostname', probability: 0.5, seed, action: 'answer', status: 500 }])
      const statuses: number[] = []
      for (let i = 0; i < 20; i += 1) statuses.push((await client.call('GET', '/v2/streaming/hostname')).status)
      return statuses
    }
    const first = await run(7)
    expect(await run(7)).toEqual(first)
    expect(new Set(first)).toEqual(new Set([200, 500]))
    expect(await run(8)).not.toEqual(first)
  })

  it('that is written wrong is refused with a sentence, and the old ones stay', async () => {
    const { client } = await emulated()
    await client.faults([{ operation: 'hostname', action: 'answer', status: 500 }])
    const refused = await client.faults([{ operation: 'hostname', action: 'explode' }])
    expect([refused.status, refused.json.code]).toEqual([400, 'INVALID_FAULTS'])
    expect((await client.call('GET', '/emulator/faults')).json.faults).toHaveLength(1)
  })
})
