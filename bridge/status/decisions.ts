import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SnowhatError } from '../../src/errors.ts'
import { readBody } from '../../src/http-server.ts'
import type { StatusSource } from './source.ts'

/** What a request is answered with. */
export interface Reply {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

const LONGEST_BODY = 1_024

/**
 * `POST /api/devices/<hostname>/decision` with `{"decision": "keep"}` or `"resend"`. The one thing that can be told to the
 * bridge over HTTP, so it wants the token; without a token in the settings nobody can.
 */
export async function answerDecision(
  hostname: string,
  request: IncomingMessage,
  source: StatusSource,
  token: string,
): Promise<Reply> {
  if (token === '')
    return refuse(
      403,
      'decisions are off: set http.token_file (SNOWHAT_HTTP_TOKEN_FILE) at the bridge to a file with a token of your choice',
    )
  if (!bears(request, token))
    return {
      ...refuse(401, 'this needs the token of http.token_file: Authorization: Bearer <token>'),
      headers: { 'www-authenticate': 'Bearer' },
    }
  const choice = choiceIn(await readBody(request, LONGEST_BODY))
  if (choice === undefined) return refuse(400, 'the body must be {"decision":"keep"} or {"decision":"resend"}')
  try {
    const effect = await source.decide(hostname, choice)
    if (effect === undefined) return refuse(404, `there is no device ${hostname}`)
    return { status: 200, body: { hostname, decision: choice, effect } }
  } catch (error) {
    if (!(error instanceof SnowhatError && error.code === 'E_NOT_HELD')) throw error
    const { message, hint } = error
    return { status: 409, body: { error: message, ...(hint !== undefined && { hint }) } }
  }
}

function refuse(status: number, error: string): Reply {
  return { status, body: { error } }
}

/** Digests are compared: of one length, and in a time that tells nothing. */
function bears(request: IncomingMessage, token: string): boolean {
  const [, given = ''] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

function choiceIn(body: Buffer | undefined): 'keep' | 'resend' | undefined {
  try {
    const { decision } = JSON.parse(body?.toString('utf8') ?? '') as { decision?: unknown }
    return decision === 'keep' || decision === 'resend' ? decision : undefined
  } catch {
    return undefined
  }
}
