import { Pool } from 'undici'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { privateCa } from '../support/private-ca.ts'
import { snowhat } from '../support/program.ts'

async function started(...args: string[]): Promise<string> {
  const program = snowhat(['emulator', '--port', '0', ...args])
  return /https?:\/\/[\w.]+:\d+/.exec(await program.line(/the emulator is running/))?.[0] ?? ''
}

describe('the emulator as a process', () => {
  it('serves HTTPS with a certificate of a private authority to whoever trusts that, and to nobody else', async () => {
    const { ca, certFile, keyFile } = privateCa(temporaryDirectory())
    const url = await started('--host', 'localhost', '--tls-cert', certFile, '--tls-key', keyFile)
    expect(url).toMatch(/^https:/)
    const trusting = new Pool(url, { connect: { ca } })
    const reply = await trusting.request({ method: 'GET', path: '/emulator/health' })
    expect([reply.statusCode, await reply.body.json()]).toEqual([200, { status: 'ok' }])
    await trusting.close()
    const other = new Pool(url)
    await expect(other.request({ method: 'GET', path: '/emulator/health' })).rejects.toThrow(/certificate/)
    await other.close()
  })

  it('keeps a connection open from request to request, also after a refusal and a body that is too large', async () => {
    const pool = new Pool(await started(), { connections: 1, pipelining: 1 })
    let connections = 0
    pool.on('connect', () => {
      connections += 1
    })
    const send = async (method: 'GET' | 'POST', path: string, body?: Buffer) => {
      const reply = await pool.request({ method, path, headers: { accept: '*/*' }, body: body ?? null })
      await reply.body.dump()
      return reply.statusCode
    }
    const statuses: number[] = []
    for (let i = 0; i < 5; i += 1) {
      statuses.push(await send('GET', '/emulator/health'))
      statuses.push(await send('GET', '/v2/streaming/hostname'))
      statuses.push(await send('POST', '/oauth/token', Buffer.alloc(5 * 1024 * 1024, 'x')))
    }
    expect(new Set(statuses)).toEqual(new Set([200, 401, 400]))
    expect(connections).toBe(1)
    await pool.close()
  })
})
