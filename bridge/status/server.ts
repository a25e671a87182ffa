import type { IncomingMessage, ServerResponse } from 'node:http'
import { serveHttp } from '../../src/http-server.ts'
import type { HttpSettings } from '../config.ts'
import { PAGE } from './page.ts'

/** What the bridge shows of itself. */
export interface StatusSource {
  /** Connected, and not stopping. */
  ready(): boolean
  health(): object
  devices(): object[]
  device(hostname: string): object | undefined
}

/** Serves the page, the health checks and the JSON behind them; only ever reads. */
export function serveStatus(
  settings: HttpSettings,
  source: StatusSource,
): Promise<{ port: number; close: () => Promise<void> }> {
  return serveHttp(
    (request, response) => answer(request, response, source),
    settings.host,
    settings.port,
    '--http-port',
  )
}

function answer(request: IncomingMessage, response: ServerResponse, source: StatusSource): void {
  // Not `new URL`: it throws on some paths that anybody may send.
  const [path = ''] = (request.url ?? '/').split('?', 1)
  if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }).end(PAGE)
    return
  }
  const { status, body } =
    request.method === 'GET' || request.method === 'HEAD'
      ? read(path, source)
      : { status: 405, body: { error: 'only GET' } }
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

const DEVICES = '/api/devices'

function read(path: string, source: StatusSource): { status: number; body: object } {
  switch (path) {
    case '/healthz':
      return { status: 200, body: { status: 'ok' } }
    case '/readyz':
      return { status: source.ready() ? 200 : 503, body: { ready: source.ready() } }
    case '/api/health':
      return { status: 200, body: source.health() }
    case DEVICES:
      return { status: 200, body: source.devices() }
  }
  const device = path.startsWith(`${DEVICES}/`) ? source.device(path.slice(DEVICES.length + 1)) : undefined
  return device === undefined ? { status: 404, body: { error: 'not found' } } : { status: 200, body: device }
}
