import type { IncomingMessage, ServerResponse } from 'node:http'
import { serveHttp } from '../../src/http-server.ts'
import type { Log } from '../../src/log.ts'
import type { HttpSettings } from '../config.ts'
import type { FleetSource } from '../fleet/fleet.ts'
import { PageFiles } from '../fleet/page-files.ts'
import { PLOTTED, type Plotted } from '../fleet/ring.ts'
import type { Reply } from './authorize.ts'
import { answerDecision } from './decisions.ts'
import { answerForgetting } from './forgetting.ts'
import type { StatusSource } from './source.ts'

/** Serves the page, the health checks and the JSON behind them. It reads, but for what wants the token. */
export async function serveStatus(
  settings: HttpSettings,
  source: StatusSource,
  log: Log,
): Promise<{ port: number; close: () => Promise<void> }> {
  const files = await PageFiles.read()
  const server = await serveHttp(
    (request, response) => {
      answer(request, response, { source, files, token: settings.token }).catch((error: unknown) => {
        log.error({ err: error, path: request.url }, 'a request to the page failed')
        if (!response.headersSent) send(response, { status: 500, body: { error: 'the bridge failed; see its log' } })
      })
    },
    settings.host,
    settings.port,
    '--http-port',
  )
  return {
    port: server.port,
    close: () => {
      source.feed.close()
      return server.close()
    },
  }
}

interface Served {
  readonly source: StatusSource
  readonly files: PageFiles
  readonly token: string
}

const DEVICES = '/api/devices'
const DEVICE = /^\/api\/devices\/([^/]+)$/
const HISTORY = /^\/api\/devices\/([^/]+)\/history$/
const DECISION = /^\/api\/devices\/([^/]+)\/decision$/

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { source, files, token }: Served,
): Promise<void> {
  // Not `new URL`: it throws on some paths that anybody may send.
  const [path = '', query] = (request.url ?? '/').split('?', 2)
  const [, decided] = DECISION.exec(path) ?? []
  if (decided !== undefined && request.method === 'POST')
    return send(response, await answerDecision(decided, request, source, token))
  const [, forgotten] = DEVICE.exec(path) ?? []
  if (forgotten !== undefined && request.method === 'DELETE')
    return send(response, await answerForgetting(forgotten, request, new URLSearchParams(query), source, token))
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, { status: 405, body: { error: 'only GET' }, headers: { allow: 'GET, HEAD' } })
  if (path === '/metrics') return answerMetrics(response, source)
  if (path === '/api/events') return source.feed.answer(request, response)
  if (!files.answer(path, request, response)) send(response, read(path, new URLSearchParams(query), source))
}

async function answerMetrics(response: ServerResponse, { metrics }: StatusSource): Promise<void> {
  const text = await metrics.metrics()
  response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text)
}

/** In one request for the small plots of a list. */
const MOST_SPARKLINES = 100

function read(path: string, query: URLSearchParams, source: StatusSource): Reply {
  switch (path) {
    case '/healthz': {
      const reasons = source.ailments()
      if (reasons.length === 0) return { status: 200, body: { status: 'ok' } }
      return { status: 503, body: { status: 'not well', reasons } }
    }
    case '/readyz':
      return { status: source.ready() ? 200 : 503, body: { ready: source.ready() } }
    case '/api/health':
      return { status: 200, body: source.health() }
    case DEVICES:
      return { status: 200, body: source.devices() }
    case '/api/sparklines': {
      const asked = query.getAll('device').slice(0, MOST_SPARKLINES)
      const points = asked.map((device) => [device, hourOf(source.fleet, device, ['temperature'])] as const)
      return { status: 200, body: Object.fromEntries(points) }
    }
  }
  const [, plotted] = HISTORY.exec(path) ?? []
  if (plotted !== undefined && source.fleet.tile(plotted) !== undefined)
    return { status: 200, body: hourOf(source.fleet, plotted, PLOTTED) }
  const device = path.startsWith(`${DEVICES}/`) ? source.device(path.slice(DEVICES.length + 1)) : undefined
  return device === undefined ? { status: 404, body: { error: 'not found' } } : { status: 200, body: device }
}

/** Of a phone what its owner did, of any other device its values. */
function hourOf(fleet: FleetSource, device: string, fields: readonly Plotted[]) {
  return { ...fleet.points(device, fields), activity: fleet.strip(device)?.activity }
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    // Parts of it come from payloads.
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(JSON.stringify(body))
}
