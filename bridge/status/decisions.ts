import type { IncomingMessage } from 'node:http'
import { SnowhatError } from '../../src/errors.ts'
import { readBody } from '../../src/http-server.ts'
import { type Reply, refuse, unauthorized } from './authorize.ts'
import type { StatusSource } from './source.ts'

const LONGEST_BODY = 1_024

/** `POST /api/devices/<hostname>/decision` with `{"decision": "keep"}` or `"resend"`. */
export async function answerDecision(
  hostname: string,
  request: IncomingMessage,
  source: StatusSource,
  token: string,
): Promise<Reply> {
  const refused = unauthorized(request, token, 'decisions')
  if (refused !== undefined) return refused
  const choice = choiceIn(await readBody(request, LONGEST_BODY))
  if (choice === undefined) return refuse(400, 'the body must be {"decision":"keep"} or {"decision":"resend"}')
  try {
    const effect = await source.decide(hostname, choice)
    if (effect === undefined) return refuse(404, `there is no device ${hostname}`)
    return { status: 200, body: { hostname, decision: choice, effect } }
  } catch (error) {
    if (!(error instanceof SnowhatError && error.code === 'E_NOT_HELD')) throw error
    return refuse(409, error.message, error.hint)
  }
}

function choiceIn(body: Buffer | undefined): 'keep' | 'resend' | undefined {
  try {
    const { decision } = JSON.parse(body?.toString('utf8') ?? '') as { decision?: unknown }
    return decision === 'keep' || decision === 'resend' ? decision : undefined
  } catch {
    return undefined
  }
}
