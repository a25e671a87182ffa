import { type Account, sessionOf } from './access/session.ts'
import { requireStreaming } from './access/streaming-privileges.ts'
import { hostname, token } from './account-api.ts'
import { type Answer, type Call, headerOf, jsonBody, type Outcome, Refusal } from './answer.ts'
import type { Auth } from './auth.ts'
import type { Channels } from './channels.ts'
import { type DisturbedCallDeps, disturbedCall, type Route } from './faults/disturbed-call.ts'
import { hostOf, type IngestHost } from './ingest-host.ts'
import type { SqlApi } from './sql-api.ts'
import {
  appendRows,
  bulkChannelStatus,
  dropChannel,
  openChannel,
  type Streaming,
  type Target,
  targetOf,
} from './streaming-api.ts'

export interface Parts extends DisturbedCallDeps {
  readonly account: Account
  readonly auth: Auth
  readonly channels: Channels
  readonly control: Control
  readonly ingestHost: IngestHost
  readonly sqlApi: SqlApi
}

/** The emulator's own paths: no credential is asked for, they are for tests on this machine. */
export interface Control {
  readonly stats: () => unknown
  readonly faults: () => unknown
  /** Puts other faults in the place of those in force; `host` is the name the emulator was spoken to under. */
  readonly setFaults: (document: unknown, host: string) => Promise<void>
}

const NAMED = '/v2/streaming/databases/([^/]+)/schemas/([^/]+)/pipes/([^/:]+)'
const CHANNEL = new RegExp(`^${NAMED}/channels/([^/]+)$`)
const STATUS = new RegExp(`^${NAMED}:bulk-channel-status$`)
const ROWS = new RegExp(`^${NAMED.replace('/streaming/', '/streaming/data/')}/channels/([^/]+)/rows$`)
const ELASTIC =
  /^\/v2\/streaming\/data\/databases\/[^/]+\/schemas\/[^/]+\/(tables\/[^/]+|pipes\/[^/]+\/channels\/ELASTIC)\/rows$/

/** One request: its faults, then its answer. */
export async function answerCall(call: Call, parts: Parts): Promise<Outcome> {
  try {
    if (/%00/.test(call.path) || call.query.toString().includes('%00'))
      throw new Refusal(400, 'INVALID_REQUEST', 'Names and tokens cannot hold a NUL character')
    const control = await controlAnswer(call, parts.control)
    return control ?? (await disturbedCall(routeOf(call, parts), hostOf(call), parts))
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

function routeOf(call: Call, parts: Parts): Route {
  const { method, path } = call
  if (path === '/oauth/token' && method === 'POST')
    return { operation: 'token', channels: [], run: () => token(call, accountOf(parts)) }
  if (headerOf(call, 'accept') === undefined)
    throw new Refusal(406, '391902', 'Unsupported Accept header null is specified.')
  if (path === '/v2/streaming/hostname' && method === 'GET')
    return { operation: 'hostname', channels: [], run: () => hostname(call, accountOf(parts)) }
  if (path === '/api/v2/statements' && method === 'POST')
    return { operation: 'statement', channels: [], run: () => statement(call, parts) }
  if (ELASTIC.test(path)) throw new Refusal(501, 'NOT_EMULATED', 'Elastic Channels are not emulated')
  const route = streamingRoute(call, parts)
  if (route) return route
  throw new Refusal(404, 'NOT_FOUND', `The emulator has no ${method} ${path}`)
}

async function statement(call: Call, { auth, sqlApi }: Parts): Promise<Answer> {
  return sqlApi.statement(call, await auth.caller(call))
}

function streamingRoute(call: Call, parts: Parts): Route | undefined {
  const { method, path } = call
  const named = CHANNEL.exec(path)
  if (named && method === 'PUT') return of('open', call, parts, matched(named), openChannel)
  if (named && method === 'DELETE') return of('drop', call, parts, matched(named), dropChannel)
  const rows = ROWS.exec(path)
  if (rows && method === 'POST') return of('append', call, parts, matched(rows), appendRows)
  const status = STATUS.exec(path)
  if (!status || method !== 'POST') return undefined
  const ofPipe = of('status', call, parts, matched(status), bulkChannelStatus)
  return { ...ofPipe, channels: namesAsked(call) }
}

type StreamingCall = (call: Call, target: Target, streaming: Streaming, swallow: boolean) => Promise<Answer>

function of(
  operation: 'open' | 'append' | 'status' | 'drop',
  call: Call,
  parts: Parts,
  target: Target,
  answer: StreamingCall,
): Route {
  const run = async (swallow: boolean) => {
    parts.ingestHost.refuseIfMoved(call)
    const caller = await parts.auth.caller(call)
    requireStreaming(parts.account, sessionOf(caller, parts.account), target.pipe, operation)
    return answer(call, target, { channels: parts.channels, dialect: parts.faults.dialect }, swallow)
  }
  return { operation, channels: [target.channel], run }
}

function accountOf({ auth, ingestHost, faults }: Parts) {
  return { auth, ingestHost, dialect: faults.dialect }
}

function matched(match: RegExpExecArray): Target {
  const [, database = '', schema = '', pipe = '', channel] = match
  return targetOf(database, schema, pipe, channel)
}

function namesAsked(call: Call): string[] {
  const names = jsonBody(call).channel_names
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}

async function controlAnswer(call: Call, control: Control): Promise<Answer | undefined> {
  const request = `${call.method} ${call.path}`
  if (request === 'GET /emulator/health') return { status: 200, body: { status: 'ok' } }
  if (request === 'GET /emulator/stats') return { status: 200, body: control.stats() }
  if (request === 'GET /emulator/faults') return { status: 200, body: control.faults() }
  if (request !== 'POST /emulator/faults') return undefined
  await control.setFaults(call.body.length === 0 ? {} : parsed(call.body), hostOf(call))
  return { status: 200, body: control.faults() }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(400, 'INVALID_FAULTS', 'The faults are not JSON')
  }
}
