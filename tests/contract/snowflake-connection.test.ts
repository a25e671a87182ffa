import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Answer } from '../../bridge/snowpipe/answer.ts'
import { createDispatcher, type ProxyEnvironment, type WayOut } from '../../bridge/snowpipe/dispatcher.ts'
import { Transport } from '../../bridge/snowpipe/transport.ts'
import { systemClock } from '../../src/clock.ts'
import { type Certificate, certificateAuthority, tlsFiles } from '../support/certificates.ts'
import { temporaryDirectory } from '../support/directory.ts'

/** Where an account would be; no name server knows it, so only a proxy can lead there. */
const ACCOUNT = 'acme-prod1.snowflake.test'

const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const snowflake = (certificate: Certificate) =>
  listening(createTlsServer(tlsFiles(certificate), (_request, response) => void response.end('"hello"')))

/** Leads every tunnel to `port`, if who asks says `password` where one is wanted. Gives its port and what it was asked. */
async function proxy(port: number, password?: string) {
  const asked: string[] = []
  const server = createServer()
  server.on('connect', (request, socket: Duplex) => {
    asked.push(String(request.url))
    const said = Buffer.from(String(request.headers['proxy-authorization']).replace('Basic ', ''), 'base64').toString()
    if (password !== undefined && said !== `snow:${password}`) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  return { port: await listening(server), asked }
}

async function ask(url: string, way: Partial<WayOut>, env: ProxyEnvironment = {}): Promise<Answer> {
  const transport = new Transport(createDispatcher({ proxy: '', ca_file: '', ...way }, env), systemClock())
  try {
    return await transport.call(new URL(url), { method: 'GET', headers: {}, timeoutMs: 20_000 })
  } finally {
    await transport.close()
  }
}

describe('the certificate of Snowflake, or of what stands before it,', () => {
  const directory = temporaryDirectory(afterAll)
  const authority = certificateAuthority(directory)

  it('is taken when the CA file has its CA, and those of the system are trusted as before', async () => {
    const port = await snowflake(authority.sign('good', ['127.0.0.1']))
    expect(await ask(`https://127.0.0.1:${port}/`, { ca_file: authority.ca })).toMatchObject({ status: 200 })
  })

  it.each([
    [
      'of another CA',
      (): string => certificateAuthority(directory, 'other').ca,
      ['127.0.0.1'],
      false,
      /not signed by a CA that we trust/,
      /CA_FILE/,
    ],
    ['of a CA nobody has named', (): string => '', ['127.0.0.1'], false, /not signed by a CA that we trust/, /CA_FILE/],
    [
      'for another host',
      (): string => authority.ca,
      [ACCOUNT],
      false,
      /is not for 127\.0\.0\.1 but for DNS:acme/,
      /spelled right/,
    ],
    ['that has expired', (): string => authority.ca, ['127.0.0.1'], true, /has expired/, /clock/],
  ] as const)('%s is one clear sentence with its remedy', async (name, ca, hosts, expired, sentence, hint) => {
    const port = await snowflake(authority.sign(name.replaceAll(' ', '-'), hosts, expired))
    const answer = await ask(`https://127.0.0.1:${port}/`, { ca_file: ca() })
    expect(answer).toMatchObject({ status: undefined, code: 'E_SNOWFLAKE_TLS', ofAccount: true })
    expect(answer.message).toMatch(sentence)
    expect(answer.hint).toMatch(hint)
  })

  it('is missing where TLS is not spoken', async () => {
    const port = await listening(createServer((_request, response) => void response.end()))
    expect(await ask(`https://127.0.0.1:${port}/`, {})).toMatchObject({
      code: 'E_SNOWFLAKE_TLS',
      message: '127.0.0.1 does not speak TLS on this port',
    })
  })
})

describe('a proxy', () => {
  const authority = certificateAuthority(temporaryDirectory(afterAll))
  const account = () => snowflake(authority.sign('account', [ACCOUNT]))

  it('leads to Snowflake, by the setting or by the environment, and TLS is with Snowflake', async () => {
    const { port, asked } = await proxy(await account())
    const url = `http://127.0.0.1:${port}`
    for (const [setting, env] of [
      [url, {}],
      ['', { HTTPS_PROXY: url }],
      ['', { https_proxy: url, HTTPS_PROXY: 'http://nowhere.test:1' }],
    ] as const)
      expect(await ask(`https://${ACCOUNT}/`, { proxy: setting, ca_file: authority.ca }, env)).toMatchObject({
        status: 200,
        body: 'hello',
      })
    expect(asked).toEqual(Array(3).fill(`${ACCOUNT}:443`))
  })

  it('is not used for hosts of NO_PROXY, for this machine, or when the setting is none', async () => {
    const port = await account()
    const { port: proxyPort, asked } = await proxy(port)
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` }
    await ask(`https://${ACCOUNT}/`, {}, { ...env, NO_PROXY: '.snowflake.test' })
    await ask(`https://127.0.0.1:${port}/`, {}, env)
    await ask(`https://${ACCOUNT}/`, { proxy: 'none' }, env)
    expect(asked).toEqual([])
  })

  it('that wants a password gets the one in its address, and nobody else hears of it', async () => {
    const { port } = await proxy(await account(), 'hunter2')
    const way = (password: string) => ({ proxy: `http://snow:${password}@127.0.0.1:${port}`, ca_file: authority.ca })
    expect(await ask(`https://${ACCOUNT}/`, way('hunter2'))).toMatchObject({ status: 200 })
    const refused = await ask(`https://${ACCOUNT}/`, way('hunter3'))
    expect(refused).toMatchObject({
      code: 'E_SNOWFLAKE_PROXY',
      message: expect.stringMatching(/user name and a password/),
    })
    expect(JSON.stringify(refused)).not.toContain('hunter')
  })

  it('that is away is no answer, and its password is not in the words', async () => {
    const answer = await ask(`https://${ACCOUNT}/`, { proxy: 'http://snow:hunter2@127.0.0.1:1' })
    expect(answer).toMatchObject({ status: undefined, code: '' })
    expect(JSON.stringify(answer)).not.toContain('hunter2')
  })

  it.each(['proxy:3128', 'socks5://snow:hunter2@proxy:1080', 'ftp://hunter2'])(
    '%s is refused, and not repeated',
    (proxy) => {
      expect(() => createDispatcher({ proxy, ca_file: '' }, {})).toThrow(
        expect.objectContaining({ code: 'E_CONFIG_INVALID', message: expect.not.stringContaining('hunter2') }),
      )
    },
  )
})

it.each([
  ['a file that is not there', '/nonexistent/ca.pem'],
  ['a file that holds none', 'package.json'],
])('a CA in %s is a mistake in the settings', (_what, ca_file) => {
  expect(() => createDispatcher({ proxy: '', ca_file }, {})).toThrow(
    expect.objectContaining({ code: 'E_CONFIG_INVALID', message: expect.stringContaining(ca_file) }),
  )
})
