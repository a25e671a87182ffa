import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { answer } from './program.ts'

/*
 * The least that can stand for Snowpipe Streaming: it checks continuation tokens, counts rows by their newlines, commits
 * after a second, and keeps nothing. What it costs is not what is measured, so it is a process of its own.
 */

export type SinkQuestion =
  /** With `opensPerSecond` each pipe refuses further openings within a second, as the service does [observed]. */
  | { readonly do: 'listen'; readonly port: number; readonly opensPerSecond?: number }
  /** Away: connections are refused. */
  | { readonly do: 'leave' }
  | { readonly do: 'count' }

export interface SinkCount {
  readonly rows: number
  readonly committed: number
  readonly appends: number
  readonly opens: number
  /** Openings answered with 429. */
  readonly refusedOpens: number
  readonly channels: number
  /** Channels that have committed anything. */
  readonly channelsCommitted: number
}

interface Appended {
  readonly end: string
  readonly rows: number
  readonly due: number
}

interface Channel {
  readonly createdOnMs: number
  client: number
  row: number
  committed: string | null
  parsed: number
  pending: Appended[]
}

const COMMIT_MS = 1_000
const unzip = promisify(gunzip)
const channels = new Map<string, Channel>()
const counts = { rows: 0, committed: 0, appends: 0, opens: 0, refusedOpens: 0 }
/** Openings of the second under way, per pipe. */
let opened = { second: 0, byPipe: new Map<string, number>() }
let opensPerSecond = Number.POSITIVE_INFINITY
let server: Server | undefined

answer<SinkQuestion>(async (question) => {
  if (question.do === 'listen') {
    opensPerSecond = question.opensPerSecond ?? Number.POSITIVE_INFINITY
    await listen(question.port)
  }
  if (question.do === 'leave') await leave()
  for (const channel of channels.values()) commitDue(channel)
  const channelsCommitted = [...channels.values()].filter(({ committed }) => committed !== null).length
  return { ...counts, channels: channels.size, channelsCommitted } satisfies SinkCount
})

async function listen(port: number): Promise<void> {
  server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    void respond(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
}

async function leave(): Promise<void> {
  const leaving = server
  server = undefined
  leaving?.closeAllConnections()
  await new Promise<void>((resolve) => (leaving === undefined ? resolve() : leaving.close(() => resolve())))
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink')
  if (pathname === '/v2/streaming/hostname') return text(response, '127.0.0.1')
  if (pathname === '/oauth/token') return text(response, 'token')
  if (pathname.endsWith(':bulk-channel-status')) return json(response, 200, statuses(body))
  const [, pipe = '', name = ''] = /\/pipes\/([^/]+)\/channels\/([^/]+)/.exec(pathname) ?? []
  if (request.method === 'PUT') {
    if (mayOpen(pipe)) return json(response, 200, open(name))
    counts.refusedOpens++
    return json(response, 429, { code: '390701', message: 'Request rate exceeds max. Try later.' })
  }
  const rows = newlines(await unzip(body))
  const token = append(name, searchParams.get('continuationToken'), searchParams.get('endOffsetToken') ?? '', rows)
  if (token === undefined) return json(response, 400, { code: 'STALE_CONTINUATION_TOKEN_SEQUENCER', message: 'stale' })
  return json(response, 200, { next_continuation_token: token })
}

function mayOpen(pipe: string): boolean {
  const second = Math.floor(performance.now() / 1000)
  if (second !== opened.second) opened = { second, byPipe: new Map() }
  const before = opened.byPipe.get(pipe) ?? 0
  opened.byPipe.set(pipe, before + 1)
  return before < opensPerSecond
}

function open(name: string): object {
  const known = channels.get(name)
  const channel = known ?? {
    createdOnMs: Date.now(),
    client: 0,
    row: 0,
    committed: null,
    parsed: 0,
    pending: [],
  }
  channels.set(name, channel)
  commitAll(channel)
  channel.client++
  channel.row = 0
  counts.opens++
  return { next_continuation_token: tokenOf(channel), channel_status: statusOf(channel) }
}

function append(name: string, token: string | null, end: string, rows: number): string | undefined {
  const channel = channels.get(name)
  if (channel === undefined) return undefined
  const [client, row] = (token ?? '').split('_').map(Number)
  if (client !== channel.client) return undefined
  // A used token: its rows are here already.
  if (row === channel.row) {
    channel.row++
    channel.pending.push({ end, rows, due: performance.now() + COMMIT_MS })
    counts.rows += rows
    counts.appends++
  }
  return tokenOf(channel)
}

function statuses(body: Buffer): object {
  const { channel_names: names } = JSON.parse(body.toString('utf8')) as { channel_names: string[] }
  const known = names.flatMap((name) => {
    const channel = channels.get(name)
    if (channel === undefined) return []
    commitDue(channel)
    return [[name, statusOf(channel)] as const]
  })
  return { channel_statuses: Object.fromEntries(known) }
}

function commitDue(channel: Channel): void {
  const now = performance.now()
  const waiting = channel.pending.findIndex(({ due }) => due > now)
  commit(channel, waiting < 0 ? channel.pending.length : waiting)
}

function commitAll(channel: Channel): void {
  commit(channel, channel.pending.length)
}

function commit(channel: Channel, many: number): void {
  for (const { end, rows } of channel.pending.splice(0, many)) {
    channel.committed = end
    channel.parsed += rows
    counts.committed += rows
  }
}

function statusOf({ committed, createdOnMs, parsed }: Channel): object {
  return {
    channel_status_code: 'SUCCESS',
    last_committed_offset_token: committed,
    created_on_ms: createdOnMs,
    rows_parsed: parsed,
    rows_inserted: parsed,
    rows_error_count: 0,
  }
}

function tokenOf({ client, row }: Channel): string {
  return `${client}_${row}`
}

function newlines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}

function text(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'text/plain' }).end(body)
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
