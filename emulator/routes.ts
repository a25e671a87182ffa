import type { Clock } from '../src/clock.ts'
import { hostname, token } from './account-api.ts'
import { type Answer, type Call, headerOf, jsonBody, Refusal } from './answer.ts'
import type { Auth } from './auth.ts'
import type { Channels } from './channels.ts'
import type { Faults, Operation } from './faults.ts'
import type { SqlApi } from './sql-api.ts'
import { appendRows, bulkChannelStatus, dropChannel, openChannel, type Target, targetOf } from './streaming-api.ts'

export interface Parts {
  readonly auth: Auth
  readonly channels: Channels
  readonly faults: Faults
  readonly sqlApi: SqlApi
  readonly clock: Clock
  readonly answers: 'text' | 'json'
  readonly stats: () => unknown
}

/** An answer, or none: a fault cuts the connection. */
export type Outcome = Answer | 'lost'

const NAMED = '/v2/streaming/databases/([^/]+)/schemas/([^/]+)/pipes/([^/:]+)'
const CHANNEL = new RegExp(`^${NAMED}/channels/([^/]+)$`)
const STATUS = new RegExp(`^${NAMED}:bulk-channel-status$`)
const ROWS = new RegExp(`^${NAMED.replace('/streaming/', '/streaming/data/')}/channels/([^/]+)/rows$`)
const ELASTIC =
  /^\/v2\/streaming\/data\/databases\/[^/]+\/schemas\/[^/]+\/(tables\/[^/]+|pipes\/[^/]+\/channels\/ELASTIC)\/rows$/

interface Route {
  readonly operation: Operation
  readonly channels: readonly string[]
  readonly run: () => Promise<Answer>
}

/** One request: its faults, then its answer. */
export async function answerCall(call: Call, parts: Parts): Promise<Outcome> {
  try {
    if (/%00/.test(call.path) || call.query.toString().includes('%00'))
      throw new Refusal(400, 'INVALID_REQUEST', 'Names and tokens cannot hold a NUL character')
    const control = controlAnswer(call, parts)
    if (control) return control
    const route = routeOf(call, parts)
    const struck = parts.faults.strike(route.operation, route.channels)
    for (const fault of struck) {
      if (fault.action === 'delay') await parts.clock.sleep(fault.ms)
      if (fault.action === 'invalidate-channel')
        for (const channel of route.channels) parts.channels.invalidate(channel, fault.code)
      if (fault.action === 'lose-request') return 'lost'
      if (fault.action === 'answer')
        return { status: fault.status, body: fault.body, ...(fault.headers ? { headers: fault.headers } : {}) }
    }
    const answer = await route.run()
    return struck.some((fault) => fault.action === 'lose-answer') ? 'lost' : answer
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

function routeOf(call: Call, parts: Parts): Route {
  const { method, path } = call
  if (path === '/oauth/token' && method === 'POST')
    return { operation: 'token', channels: [], run: () => token(call, parts.auth, parts.answers) }
  if (headerOf(call, 'accept') === undefined)
    throw new Refusal(406, '391902', 'Unsupported Accept header null is specified.')
  if (path === '/v2/streaming/hostname' && method === 'GET')
    return { operation: 'hostname', channels: [], run: () => hostname(call, parts.auth, parts.answers) }
  if (path === '/api/v2/statements' && method === 'POST')
    return { operation: 'statement', channels: [], run: signedIn(call, parts, () => parts.sqlApi.statement(call)) }
  if (ELASTIC.test(path)) throw new Refusal(501, 'NOT_EMULATED', 'Elastic Channels are not emulated')
  const route = streamingRoute(call, parts)
  if (route) return route
  throw new Refusal(404, 'NOT_FOUND', `The emulator has no ${method} ${path}`)
}

function streamingRoute(call: Call, parts: Parts): Route | undefined {
  const { method, path } = call
  const { channels } = parts
  const named = CHANNEL.exec(path)
  if (named && method === 'PUT') return of('open', call, parts, matched(named), openChannel)
  if (named && method === 'DELETE') return of('drop', call, parts, matched(named), dropChannel)
  const rows = ROWS.exec(path)
  if (rows && method === 'POST') return of('append', call, parts, matched(rows), appendRows)
  const status = STATUS.exec(path)
  if (!status || method !== 'POST') return undefined
  const run = signedIn(call, parts, () => bulkChannelStatus(call, matched(status), channels))
  return { operation: 'status', channels: namesAsked(call), run }
}

type StreamingCall = (call: Call, target: Target, channels: Channels) => Promise<Answer>

function of(operation: Operation, call: Call, parts: Parts, target: Target, run: StreamingCall): Route {
  return { operation, channels: [target.channel], run: signedIn(call, parts, () => run(call, target, parts.channels)) }
}

/** The first check of every streaming call. */
function signedIn(call: Call, parts: Parts, run: () => Promise<Answer>): () => Promise<Answer> {
  return async () => {
    await parts.auth.caller(call)
    return run()
  }
}

function matched(match: RegExpExecArray): Target {
  const [, database = '', schema = '', pipe = '', channel] = match
  return targetOf(database, schema, pipe, channel)
}

function namesAsked(call: Call): string[] {
  const names = jsonBody(call).channel_names
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}

/** The emulator's own paths: no credential is asked for, they are for tests on this machine. */
function controlAnswer(call: Call, parts: Parts): Answer | undefined {
  const request = `${call.method} ${call.path}`
  if (request === 'GET /emulator/health') return { status: 200, body: { status: 'ok' } }
  if (request === 'GET /emulator/stats') return { status: 200, body: parts.stats() }
  if (request === 'GET /emulator/faults') return parts.faults.answer
  if (request !== 'POST /emulator/faults') return undefined
  parts.faults.replace(call.body.length === 0 ? [] : parsed(call.body))
  return parts.faults.answer
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(400, 'INVALID_FAULTS', 'The faults are not JSON')
  }
}
