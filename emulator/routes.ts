import { type Account, sessionOf } from './access/session.ts'
import { requireStreaming, type StreamingOperation } from './access/streaming-privileges.ts'
import { hostname, token } from './account-api.ts'
import { type Answer, type Call, headerOf, jsonBody, type Outcome, Refusal } from './answer.ts'
import type { Auth } from './auth.ts'
import { defaultPipeOf } from './catalog.ts'
import type { Channels } from './channels.ts'
import type { ElasticChannels } from './elastic.ts'
import { type DisturbedCallDeps, disturbedCall, type Route } from './faults/disturbed-call.ts'
import { hostOf, type IngestHost } from './ingest-host.ts'
import { ELASTIC, isElastic } from './names.ts'
import { pipeInfo } from './pipe-info.ts'
import type { SqlApi } from './sql-api.ts'
import {
  appendElastic,
  appendFiles,
  appendRows,
  appendToTable,
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
  readonly elastic: ElasticChannels
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

const SCHEMA = 'databases/([^/]+)/schemas/([^/]+)'
const PIPE = `${SCHEMA}/pipes/([^/:]+)`
const CHANNEL = new RegExp(`^/v2/streaming/${PIPE}/channels/([^/]+)$`)
const STATUS = new RegExp(`^/v2/streaming/${PIPE}:bulk-channel-status$`)
const INFO = new RegExp(`^/v2/streaming/${PIPE}:pipe-info$`)
const ROWS = new RegExp(`^/v2/streaming/data/${PIPE}/channels/([^/]+)/rows$`)
const FILES = new RegExp(`^/v2/streaming/data/${PIPE}/channels/([^/]+)/filebuffer$`)
const TABLE_ROWS = new RegExp(`^/v2/streaming/data/${SCHEMA}/tables/([^/:]+)/rows$`)
/** The same paths may name organization and account before the database [observed]. */
const ACCOUNT_PREFIX = /^(\/v2\/streaming(?:\/data)?)\/org\/[^/]+\/accounts\/[^/]+(?=\/databases\/)/

/** One request: its faults, then its answer. */
export async function answerCall(call: Call, parts: Parts): Promise<Outcome> {
  try {
    if (/%00/.test(call.path) || call.query.toString().includes('%00'))
      throw new Refusal(400, 'INVALID_REQUEST', 'Names and tokens cannot hold a NUL character')
    const own = (await controlAnswer(call, parts.control)) ?? telemetryAnswer(call)
    return own ?? (await disturbedCall(routeOf(call, parts), hostOf(call), parts))
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
  const route = streamingRoute(call, parts)
  if (route) return route
  throw new Refusal(404, 'NOT_FOUND', `The emulator has no ${method} ${path}`)
}

async function statement(call: Call, { auth, sqlApi }: Parts): Promise<Answer> {
  return sqlApi.statement(call, await auth.caller(call))
}

function streamingRoute(call: Call, parts: Parts): Route | undefined {
  const { method } = call
  const path = call.path.replace(ACCOUNT_PREFIX, '$1')
  const named = CHANNEL.exec(path)
  if (named && method === 'PUT') return of('open', call, parts, matched(named), openChannel)
  if (named && method === 'DELETE') return of('drop', call, parts, matched(named), dropChannel)
  if (method !== 'POST') return undefined
  const rows = ROWS.exec(path)
  if (rows) {
    const target = matched(rows)
    return of('append', call, parts, target, isElastic(target.channel) ? appendElastic : appendRows)
  }
  const tableRows = TABLE_ROWS.exec(path)
  if (tableRows) return of('append', call, parts, ofTable(matched(tableRows)), appendToTable)
  const files = FILES.exec(path)
  if (files) return of('append', call, parts, matched(files), appendFiles)
  const status = STATUS.exec(path)
  if (status) return { ...of('status', call, parts, matched(status), bulkChannelStatus), channels: namesAsked(call) }
  const info = INFO.exec(path)
  return info ? { ...of('pipe-info', call, parts, matched(info), pipeInfo), channels: [] } : undefined
}

type StreamingCall = (call: Call, target: Target, streaming: Streaming, swallow: boolean) => Promise<Answer>

function of(operation: StreamingOperation, call: Call, parts: Parts, target: Target, answer: StreamingCall): Route {
  const run = async (swallow: boolean) => {
    parts.ingestHost.refuseIfMoved(call)
    const caller = await parts.auth.caller(call)
    requireStreaming(parts.account, sessionOf(caller, parts.account), target.pipe, operation)
    const { channels, elastic, clock } = parts
    const { dialect, limits } = parts.faults
    return answer(call, target, { channels, elastic, clock, dialect, limits }, swallow)
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

/** By the table's default pipe. */
function ofTable({ pipe: table }: Target): Target {
  return { pipe: defaultPipeOf(table), channel: ELASTIC }
}

function namesAsked(call: Call): string[] {
  const names = jsonBody(call).channel_names
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}

/** What the official SDK says of itself is taken and forgotten. Without `data` it complains of the answer [observed]. */
function telemetryAnswer({ method, path }: Call): Answer | undefined {
  const isTelemetry = path === '/telemetry/send/sessionless' && method === 'POST'
  return isTelemetry
    ? { status: 200, body: { data: 'Log Received', code: null, message: null, success: true } }
    : undefined
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
