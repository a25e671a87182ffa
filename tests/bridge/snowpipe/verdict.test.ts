import { describe, expect, it } from 'vitest'
import { noAnswer, readAnswer } from '../../../bridge/snowpipe/answer.ts'
import {
  concernOf,
  type Operation,
  type Verdict,
  verdictOn,
  verdictOnChannel,
} from '../../../bridge/snowpipe/verdict.ts'

/** The verdict on an answer of this status and body, read as the client reads it. */
function verdict(operation: Operation, status: number, body: unknown): Verdict {
  return verdictOn(operation, readAnswer(status, {}, typeof body === 'string' ? body : JSON.stringify(body)))
}

/** One row for every row of spec section 5.1. */
const BY_STATUS: readonly [operation: Operation, status: number, body: unknown, expected: Verdict][] = [
  ['append', 400, { code: 'STALE_CONTINUATION_TOKEN_SEQUENCER' }, 'reopen'],
  ['append', 400, { code: 'ERR_MALFORMED_REQUEST' }, 'split'],
  ['append', 400, '', 'split'],
  ['open', 400, { code: 'ERR_MALFORMED_REQUEST' }, 'blocked'],
  ['status', 400, '', 'blocked'],
  ['append', 401, { code: '390144', message: 'JWT token is invalid' }, 'unauthorized'],
  ['token', 401, '', 'unauthorized'],
  ['open', 403, { code: '390420', message: 'network policy' }, 'blocked'],
  ['append', 403, '', 'blocked'],
  ['open', 404, { code: 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED' }, 'blocked'],
  ['open', 404, { code: 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED' }, 'blocked'],
  ['open', 404, { code: 'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED' }, 'blocked'],
  ['open', 404, { code: 'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED' }, 'blocked'],
  ['open', 404, { code: 'ERR_ROLE_DOES_NOT_EXIST' }, 'blocked'],
  ['append', 404, { code: 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED' }, 'reopen'],
  ['append', 404, { code: 'ERR_CHANNEL_NO_LONGER_EXISTS' }, 'reopen'],
  ['append', 404, '', 'retry'],
  ['open', 404, '<html>no route</html>', 'retry'],
  ['hostname', 404, 'no healthy upstream', 'retry'],
  ['append', 408, '', 'retry'],
  ['append', 499, '', 'retry'],
  ['open', 409, { code: 'ERR_OPEN_CHANNEL_IN_PROGRESS' }, 'retry'],
  ['open', 409, { code: 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA' }, 'uncommitted'],
  ['drop', 409, { code: 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA' }, 'uncommitted'],
  ['open', 409, { code: 'ERR_PIPE_IN_INVALID_STATE' }, 'blocked'],
  ['append', 409, { code: 'ERR_SOMETHING_ELSE' }, 'reopen_once'],
  ['append', 410, '', 'moved'],
  ['open', 410, { code: 'ERR_GONE' }, 'moved'],
  ['append', 413, '', 'split'],
  ['append', 413, { code: 'ERR_TOO_LARGE' }, 'split'],
  ['append', 429, { code: '390701', message: 'Request rate exceeds max. Try later.' }, 'retry'],
  ['open', 429, '', 'retry'],
  ['append', 500, { code: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST' }, 'retry'],
  ['append', 500, '', 'retry'],
  ['append', 502, '<html>bad gateway</html>', 'retry'],
  ['append', 503, { code: 'ERR_PIPE_NOT_LOCALLY_OWNED_OR_NOT_STARTED' }, 'retry'],
  ['append', 504, '', 'retry'],
  ['append', 400, { code: '391902', message: 'Unsupported Accept header null' }, 'blocked'],
  ['open', 400, { code: '391902', message: 'Unsupported Accept header null' }, 'blocked'],
]

/** Every row of 5.2, as the status of a channel. */
const BY_CHANNEL: readonly [code: string, expected: Verdict][] = [
  ['SUCCESS', 'ok'],
  ['ACTIVE', 'ok'],
  ['0', 'ok'],
  ['', 'ok'],
  ['ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER', 'reopen'],
  ['ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER', 'reopen'],
  ['ERR_CHANNEL_MUST_BE_REOPENED', 'reopen'],
  ['ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP', 'reopen'],
  ['ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED', 'blocked'],
  ['ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED', 'blocked'],
  ['ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED', 'reopen'],
  ['ERR_CHANNEL_NO_LONGER_EXISTS', 'reopen'],
  ['STALE_PIPE_CACHE', 'reopen'],
  ['ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE', 'blocked'],
  ['ERR_PIPE_IN_INVALID_STATE', 'blocked'],
  ['ERR_CHANNEL_OF_A_NEW_KIND', 'reopen_once'],
  ['ERR_OF_A_NEW_KIND', 'blocked'],
]

/** Every row of 5.3. */
const NUMERIC: readonly [code: number, expected: Verdict][] = [
  [0, 'ok'],
  [1, 'retry'],
  [2, 'blocked'],
  [3, 'unauthorized'],
  [4, 'reopen'],
  [5, 'retry'],
  [6, 'retry'],
  [7, 'retry'],
  [99, 'retry'],
]

describe('the verdict on an answer', () => {
  it.each(BY_STATUS)('to %s with status %i and %j is %s', (operation, status, body, expected) => {
    expect(verdict(operation, status, body)).toBe(expected)
  })

  it('that never came is to send the same again', () => {
    for (const operation of ['hostname', 'token', 'open', 'append', 'status', 'drop'] as const)
      expect(verdictOn(operation, noAnswer('getaddrinfo ENOTFOUND'))).toBe('retry')
  })

  it('that never came because TLS or a proxy bars the way stops everybody: nothing was sent, and a person must act', () => {
    for (const code of ['E_SNOWFLAKE_TLS', 'E_SNOWFLAKE_PROXY']) {
      const answer = noAnswer('barred', { code, hint: 'mend it' })
      expect([verdictOn('append', answer), concernOf('blocked', answer)]).toEqual(['blocked', 'account'])
    }
  })

  it.each([
    ['account', 401, ''],
    ['account', 407, ''],
    ['account', 400, '391902'],
    ['pipe', 403, ''],
    ['pipe', 404, 'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'],
    ['pipe', 409, 'ERR_PIPE_IN_INVALID_STATE'],
    ['openings', 409, 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE'],
    ['channel', 400, 'INVALID_REQUEST'],
  ] as const)('concerns the %s when it is %i %s', (concern, status, code) => {
    const answer = readAnswer(status, {}, code === '' ? '' : JSON.stringify({ code }))
    expect(concernOf(verdictOn('open', answer), answer)).toBe(concern)
  })

  it.each([200, 201, 204])('with status %i and no code is ok', (status) => {
    expect(verdict('append', status, { next_continuation_token: '3_1' })).toBe('ok')
    expect(verdict('drop', status, '')).toBe('ok')
  })

  it.each(NUMERIC)('with status 200 and status_code %i is %s', (status_code, expected) => {
    expect(verdict('append', 200, { status_code, message: 'said so' })).toBe(expected)
  })

  it('with a numeric status_code under 400 goes by that: halving a batch for a stale token would lose its rows', () => {
    expect(verdict('append', 400, { status_code: 4, message: 'stale' })).toBe('reopen')
    expect(verdict('append', 400, { status_code: 3, message: 'expired' })).toBe('unauthorized')
  })

  it.each(BY_CHANNEL.filter(([code]) => code.includes('_')))(
    'that names %s, whatever its status, is %s',
    (code, expected) => {
      const statuses = code === 'ERR_OF_A_NEW_KIND' ? [200] : [200, 400, 404, 409]
      for (const status of statuses) expect([status, verdict('append', status, { code })]).toEqual([status, expected])
    },
  )

  it('is never ok for a refusal', () => {
    for (let status = 300; status < 600; status++) {
      for (const body of ['', { code: 'SUCCESS' }, { status_code: 0 }, { code: 'ACTIVE' }])
        expect(verdict('append', status, body)).not.toBe('ok')
    }
  })
})

describe('the verdict on a channel', () => {
  it.each(BY_CHANNEL)('whose status is %j is %s', (code, expected) => {
    expect(verdictOnChannel(code)).toBe(expected)
  })
})
