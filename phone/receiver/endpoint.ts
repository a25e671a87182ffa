import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { Wellbeing } from '../../src/notify.ts'
import type { Intake } from '../intake/intake.ts'
import { type Answer, answerTo, failed, send, shown, tooLong } from './answer.ts'
import { firstBytes, readMessageBody } from './body.ts'
import { bearsToken } from './token.ts'
import { Turns } from './turns.ts'

export interface EndpointSettings {
  /** Empty where everybody may send. */
  readonly token: string
  readonly maxBodyBytes: number
}

export interface EndpointDeps {
  readonly clock: Clock
  readonly log: Log
  readonly intake: Pick<Intake, 'take'>
  readonly wellbeing: () => Wellbeing
  /** Shown beside that. */
  readonly counters: () => object
}

/** The first system's address and ours, with the token as a last level where there is one. */
const ADDRESS = /^\/(?:sensor-data|v1\/sensor-logger)(?:\/([^/]+))?\/?$/
const ANY_HOST = 'http://receiver'
/** Messages that are read, parsed and stored at a time; each may be as long as a body may be. */
const MOST_IN_FLIGHT = 64
/** The others wait unread, which takes next to no memory. A disk that stands still for a moment turns no phone away. */
const MOST_WAITING = 1_024
const LONGEST_WAIT_MS = 5_000
/** Of a message with a wrong token so much is looked at. */
const PEEK_BYTES = 16 * 1024
const JSON_TYPE = /^(application|text)\/([\w.-]+\+)?json\b/i

/** Answers the app, and whoever looks at `/healthz`. No request stops anything. */
export function createEndpoint(settings: EndpointSettings, deps: EndpointDeps): RequestListener {
  const turns = new Turns({ width: MOST_IN_FLIGHT, waiting: MOST_WAITING, waitMs: LONGEST_WAIT_MS }, deps.clock)
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const given = await answerRequest(request, settings, deps, turns).catch((error: unknown) => {
      deps.log.debug({ reason: messageOf(error) }, 'a request could not be answered')
      return failed(500, 'the receiver cannot store anything now')
    })
    if (response.destroyed) return
    // What was not read to its end is in the way of a next request.
    const left = request.complete ? {} : { connection: 'close' }
    send(response, { ...given, headers: { ...given.headers, ...left } })
    request.resume()
  }
  return (request, response) => void answer(request, response)
}

async function answerRequest(
  request: IncomingMessage,
  settings: EndpointSettings,
  deps: EndpointDeps,
  turns: Turns,
): Promise<Answer> {
  if (!URL.canParse(request.url ?? '', ANY_HOST)) return failed(400, 'that is no address')
  const url = new URL(request.url ?? '', ANY_HOST)
  if (url.pathname === '/healthz') return health(request, deps.wellbeing(), deps.counters())
  const address = ADDRESS.exec(url.pathname)
  if (address === null) return failed(404, 'phones send to /sensor-data')
  if (request.method !== 'POST') return failed(405, 'phones send by POST', { allow: 'POST' })
  const given = {
    path: decoded(address[1] ?? ''),
    query: url.searchParams.get('token') ?? '',
    authorization: request.headers.authorization ?? '',
  }
  const taken = await turns.take(() =>
    bearsToken(settings.token, given) ? answerMessage(request, settings, deps) : unauthorized(request),
  )
  return taken ?? failed(503, 'too many requests at once', { 'retry-after': '1' })
}

async function answerMessage(
  request: IncomingMessage,
  { maxBodyBytes }: EndpointSettings,
  { intake }: EndpointDeps,
): Promise<Answer> {
  const body = await readMessageBody(request, maxBodyBytes)
  switch (body.kind) {
    case 'too-large':
      return tooLong(maxBodyBytes)
    case 'bad-encoding':
      return failed(415, 'content-encoding must be gzip or none', { 'accept-encoding': 'gzip' })
    case 'bad-gzip':
      return failed(400, 'the body is not gzip')
    case 'whole':
      return answerTo(await intake.take(body.bytes, 'http'), JSON_TYPE.test(request.headers['content-type'] ?? ''))
  }
}

/** The app shows nothing but 499: where it seems to be the app, its user is told. */
async function unauthorized(request: IncomingMessage): Promise<Answer> {
  const beginning = (await firstBytes(request, PEEK_BYTES)).toString('latin1')
  if (/"(messageId|sessionId|deviceId)"\s*:/.test(beginning))
    return shown('the token in the push address is wrong or missing')
  return failed(401, 'the token is wrong or missing', { 'www-authenticate': 'Bearer' })
}

function health(request: IncomingMessage, { status, stuck }: Wellbeing, counters: object): Answer {
  if (request.method !== 'GET' && request.method !== 'HEAD') return failed(405, 'look with GET', { allow: 'GET, HEAD' })
  return stuck === undefined
    ? { status: 200, body: { status, counters } }
    : { status: 503, body: { status: stuck, counters } }
}

function decoded(level: string): string {
  try {
    return decodeURIComponent(level)
  } catch {
    return level
  }
}
