import { type Answer, Refusal } from '../answer.ts'
import type { ReadyAnswer } from './fault.ts'

type What<A> = Extract<ReadyAnswer, { action: A; what: unknown }>['what']

/** The documented codes differ in their words. */
const NOT_FOUND: Readonly<Record<What<'not-found'>, string>> = {
  pipe: 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  table: 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED',
  database: 'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  schema: 'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  role: 'ERR_ROLE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  channel: 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
}

const CONFLICTS: Readonly<Record<What<'conflict'>, readonly [code: string, message: string]>> = {
  'open-in-progress': ['ERR_OPEN_CHANNEL_IN_PROGRESS', 'Another open of this channel is running'],
  'uncommitted-rows': ['ERR_CHANNEL_HAS_UNCOMMITTED_DATA', 'The channel has rows that are not committed yet'],
  'invalid-pipe': ['ERR_PIPE_IN_INVALID_STATE', 'The definition of the pipe is broken'],
  'channel-limit': ['ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE', 'The pipe has as many channels as it may have'],
  other: ['CONFLICT', 'The request does not fit the state of the pipe'],
}

/**
 * What the service says in the cases of its documentation and of its clients' tests. Codes of 400 other than STALE_…, 401, 403,
 * 410 and 413 are [assumed]; the others [documented or observed].
 */
export function readyAnswer(fault: ReadyAnswer): Answer {
  switch (fault.action) {
    case 'stale-token':
      return refused(
        400,
        'STALE_CONTINUATION_TOKEN_SEQUENCER',
        'Channel sequencer in the continuation token is stale. Please reopen the channel',
      )
    case 'bad-request':
      return refused(400, 'INVALID_REQUEST', 'The request cannot be processed')
    case 'unauthorized':
      return refused(401, '390318', 'OAuth access token expired')
    case 'forbidden':
      return refused(403, '390422', 'The role lacks a privilege, or a network policy refuses this address')
    case 'not-found':
      return refused(404, NOT_FOUND[fault.what], `The ${fault.what} does not exist or is not authorized`)
    case 'no-route':
      return { status: 404 }
    case 'time-out':
      return { status: fault.status }
    case 'conflict': {
      const [code, message] = CONFLICTS[fault.what]
      return refused(409, code, message)
    }
    case 'gone':
      return refused(410, 'PIPE_FAILED_OVER', 'The pipe is served by another host now')
    case 'too-large':
      return refused(413, 'REQUEST_ENTITY_TOO_LARGE', 'The request body is too large')
    case 'throttle': {
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }
      const body = { code: fault.code, message: 'Request rate exceeds max. Try later.' }
      return { status: 429, headers, ...(fault.code === '' ? {} : { body }) }
    }
    case 'server-error':
      return { status: fault.status, body: fault.body }
    case 'reject':
      return { status: 200, body: { status_code: fault.statusCode, message: 'The request was not accepted' } }
    case 'answer':
      return { status: fault.status, body: fault.body, ...(fault.headers ? { headers: fault.headers } : {}) }
  }
}

function refused(status: number, code: string, message: string): Answer {
  return new Refusal(status, code, message).answer
}
