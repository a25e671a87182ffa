import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { onTestFinished } from 'vitest'

type Slot = 'RSA_PUBLIC_KEY' | 'RSA_PUBLIC_KEY_2'

/** An account with one user and its two places for keys, over HTTP: signing in, and DESC USER, as they are documented. */
export class SlottedAccount {
  slots: Record<Slot, KeyObject | undefined> = { RSA_PUBLIC_KEY: undefined, RSA_PUBLIC_KEY_2: undefined }
  /** A user may not be allowed to look at itself. */
  describes = true
  url = ''

  static async start(): Promise<SlottedAccount> {
    const account = new SlottedAccount()
    const server = createServer(async (request, response) => {
      const { status, body } = account.#answer(request, await textOf(request))
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    account.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return account
  }

  /** What a person pastes into a worksheet. */
  run(statement: string): void {
    const set = /^ALTER USER SENSEHAT_STREAMING_USER SET (RSA_PUBLIC_KEY(?:_2)?)='([A-Za-z0-9+/=]+)';$/.exec(statement)
    const unset = /^ALTER USER SENSEHAT_STREAMING_USER UNSET (RSA_PUBLIC_KEY(?:_2)?);$/.exec(statement)
    if (set !== null)
      this.slots[set[1] as Slot] = createPublicKey({
        key: Buffer.from(set[2] ?? '', 'base64'),
        format: 'der',
        type: 'spki',
      })
    else if (unset !== null) this.slots[unset[1] as Slot] = undefined
    else throw new Error(`no statement of an account: ${statement}`)
  }

  #answer({ url = '', headers }: IncomingMessage, body: string): { status: number; body: string } {
    if (!this.#isSigned(headers.authorization?.slice('Bearer '.length) ?? ''))
      return { status: 401, body: JSON.stringify({ code: '390144', message: 'JWT token is invalid.' }) }
    if (url.startsWith('/v2/streaming/hostname')) return { status: 200, body: '127.0.0.1' }
    if (url.startsWith('/oauth/token')) return { status: 200, body: 'scoped-token' }
    if (
      !this.describes ||
      !url.startsWith('/api/v2/statements') ||
      JSON.parse(body).statement !== 'DESC USER SENSEHAT_STREAMING_USER'
    )
      return { status: 422, body: JSON.stringify({ code: '003001', message: 'Insufficient privileges.' }) }
    const fp = (slot: Slot) => (this.slots[slot] === undefined ? 'null' : fingerprintOf(this.slots[slot]))
    const rowType = ['property', 'value', 'default', 'description'].map((name) => ({ name, type: 'text' }))
    const data = [
      ['NAME', 'SENSEHAT_STREAMING_USER', 'null', 'Name'],
      ['RSA_PUBLIC_KEY_FP', fp('RSA_PUBLIC_KEY'), 'null', ''],
      ['RSA_PUBLIC_KEY_2_FP', fp('RSA_PUBLIC_KEY_2'), 'null', ''],
    ]
    return { status: 200, body: JSON.stringify({ resultSetMetaData: { rowType, partitionInfo: [{}] }, data }) }
  }

  #isSigned(jwt: string): boolean {
    const [head, claims, signature = ''] = jwt.split('.')
    if (claims === undefined) return false
    const { iss = '', exp = 0 } = decodeJwt(jwt)
    return Object.values(this.slots).some(
      (key) =>
        key !== undefined &&
        iss === `EMULATOR.SENSEHAT_STREAMING_USER.${fingerprintOf(key)}` &&
        exp > Date.now() / 1000 &&
        verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url')),
    )
  }
}

export function fingerprintOf(key: KeyObject): string {
  return `SHA256:${createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64')}`
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
