import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../src/clock.ts'
import { messageOf, SnowhatError, systemCode } from '../src/errors.ts'
import { portTaken } from '../src/http-server.ts'
import type { Log } from '../src/log.ts'
import type { Answer, Call, Outcome } from './answer.ts'
import { MAX_BODY_BYTES } from './rowset-body.ts'

export interface ServerSettings {
  readonly host: string
  readonly port: number
  readonly tlsCert: string
  readonly tlsKey: string
}

/** Longer than clients keep idle connections, so that it is never the server that closes one under a request. */
const KEEP_ALIVE_MS = 120_000

/** A body that goes out slowly is cut into so many pieces. */
const PIECES = 20

export interface ServerDeps {
  readonly answer: (call: Call) => Promise<Outcome>
  /** The service's own: the `Date` header is of it. */
  readonly clock: Clock
  readonly log: Log
}

/** HTTP around one function. */
export interface HttpServer {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

export async function serve(settings: ServerSettings, deps: ServerDeps): Promise<HttpServer> {
  const running = new Set<Promise<void>>()
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const work = respond(request, response, deps).finally(() => running.delete(work))
    running.add(work)
  }
  const secure = settings.tlsCert !== '' || settings.tlsKey !== ''
  const server = secure ? await tlsServer(settings, onRequest) : createServer(onRequest)
  server.keepAliveTimeout = KEEP_ALIVE_MS
  await listen(server, settings)
  const { port } = server.address() as AddressInfo
  const host = ['0.0.0.0', '::'].includes(settings.host) ? 'localhost' : settings.host
  return {
    port,
    url: `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.allSettled(running)
      server.closeAllConnections()
      await closed
    },
  }
}

async function tlsServer(
  { tlsCert, tlsKey }: ServerSettings,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  if (tlsCert === '' || tlsKey === '')
    throw new SnowhatError('E_CONFIG_INVALID', 'HTTPS needs both a certificate and its private key', {
      hint: 'Give --tls-cert and --tls-key, or neither.',
    })
  const [cert, key] = await Promise.all([readPem(tlsCert), readPem(tlsKey)])
  try {
    return createTlsServer({ cert, key }, onRequest)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `cannot use ${tlsCert} with ${tlsKey}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
}

function listen(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        systemCode(error) === 'EADDRINUSE'
          ? portTaken(port, '--port', error)
          : new SnowhatError('E_CONFIG_INVALID', `cannot listen on ${host} port ${port}: ${messageOf(error)}`, {
              cause: error,
            }),
      )
    })
    server.listen(port, host, () => resolve())
  })
}

async function respond(request: IncomingMessage, response: ServerResponse, deps: ServerDeps): Promise<void> {
  let outcome: Outcome
  try {
    outcome = await deps.answer(await readCall(request))
  } catch (error) {
    if (request.destroyed && !request.complete) return
    deps.log.error({ err: error, path: request.url }, 'request failed')
    outcome = { status: 500, body: { code: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST', message: messageOf(error) } }
  }
  if (outcome === 'lost') {
    request.socket.destroy()
    return
  }
  const { status, body, headers, slowly } = outcome
  const bytes = Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  const type =
    body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' }
  const date = new Date(deps.clock.now()).toUTCString()
  response.writeHead(status, { ...type, date, 'content-length': bytes.length, ...headers })
  if (slowly) await dribble(response, bytes, slowly, deps.clock)
  response.end(slowly ? undefined : bytes)
}

async function dribble(
  response: ServerResponse,
  bytes: Buffer,
  { overMs, until }: NonNullable<Answer['slowly']>,
  clock: Clock,
): Promise<void> {
  const size = Math.max(1, Math.ceil(bytes.length / PIECES))
  for (let i = 0; i < bytes.length && !response.destroyed; i += size) {
    await clock.sleep((overMs * size) / bytes.length, until).catch(() => undefined)
    response.write(bytes.subarray(i, i + size))
  }
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const oversize = bytes > MAX_BODY_BYTES
  return {
    method: request.method ?? '',
    path,
    query: new URLSearchParams(query),
    headers: request.headers,
    body: oversize ? Buffer.alloc(0) : Buffer.concat(chunks),
    oversize,
    from: request.socket.remoteAddress,
  }
}
