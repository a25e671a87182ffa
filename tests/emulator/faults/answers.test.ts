import { describe, expect, it } from 'vitest'
import { FAULTS } from '../../../emulator/faults/fault.ts'
import { emulated, rowCount } from '../harness.ts'

/** What a client sees of each answer that is ready: status, code or body, `Retry-After`. */
const SEEN: readonly (readonly [fault: Readonly<Record<string, unknown>>, seen: readonly unknown[]])[] = [
  [{ action: 'stale-token' }, [400, 'STALE_CONTINUATION_TOKEN_SEQUENCER']],
  [{ action: 'bad-request' }, [400, 'INVALID_REQUEST']],
  [{ action: 'unauthorized' }, [401, '390318']],
  [{ action: 'forbidden' }, [403, '390422']],
  [{ action: 'not-found' }, [404, 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED']],
  [{ action: 'not-found', what: 'table' }, [404, 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED']],
  [{ action: 'not-found', what: 'database' }, [404, 'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED']],
  [{ action: 'not-found', what: 'schema' }, [404, 'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED']],
  [{ action: 'not-found', what: 'role' }, [404, 'ERR_ROLE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED']],
  [{ action: 'not-found', what: 'channel' }, [404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED']],
  [{ action: 'no-route' }, [404, '']],
  [{ action: 'time-out' }, [408, '']],
  [{ action: 'time-out', status: 499 }, [499, '']],
  [{ action: 'conflict' }, [409, 'ERR_OPEN_CHANNEL_IN_PROGRESS']],
  [{ action: 'conflict', what: 'uncommitted-rows' }, [409, 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA']],
  [{ action: 'conflict', what: 'invalid-pipe' }, [409, 'ERR_PIPE_IN_INVALID_STATE']],
  [{ action: 'conflict', what: 'channel-limit' }, [409, 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE']],
  [{ action: 'conflict', what: 'other' }, [409, 'CONFLICT']],
  [{ action: 'gone' }, [410, 'PIPE_FAILED_OVER']],
  [{ action: 'too-large' }, [413, 'REQUEST_ENTITY_TOO_LARGE']],
  [{ action: 'throttle' }, [429, '390701']],
  [{ action: 'throttle', retryAfter: 2 }, [429, '390701', '2']],
  [{ action: 'throttle', code: '' }, [429, '']],
  [{ action: 'server-error' }, [500, '"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"']],
  [{ action: 'server-error', status: 502, body: '<html>Bad Gateway</html>' }, [502, '<html>Bad Gateway</html>']],
  [{ action: 'server-error', status: 503, body: '' }, [503, '']],
  [{ action: 'reject' }, [200, 1]],
  [{ action: 'reject', statusCode: 4 }, [200, 4]],
  [{ action: 'answer', status: 418, body: { code: 'MY_OWN' }, headers: { 'retry-after': '9' } }, [418, 'MY_OWN', '9']],
]

describe('an answer that is ready', () => {
  it('comes under its name in the place of the service, which does not process the request', async () => {
    const { client, emulator } = await emulated()
    const token = await client.opened('a')
    const seen: unknown[] = []
    for (const [fault] of SEEN) {
      const set = await client.faults([{ operation: 'append', ...fault }])
      expect(set.status, set.text).toBe(200)
      const { status, json, text, headers } = await client.append('a', token, [{ uuid: '1' }])
      const retryAfter = headers['retry-after']
      seen.push([status, json?.code ?? json?.status_code ?? text, ...(retryAfter === undefined ? [] : [retryAfter])])
    }
    expect(seen).toEqual(SEEN.map(([, answer]) => answer))
    await client.faults([])
    expect(emulator.stats().appends).toBe(0)
    expect((await client.append('a', token, [{ uuid: '1' }])).status).toBe(200)
    expect(await rowCount(emulator)).toBe(0)
  })

  it('is there for every kind, and each is tried here', () => {
    const ready = FAULTS.filter(({ shape }) => !('every' in shape) && 'operation' in shape)
    const detours = ['delay', 'lose-request', 'lose-answer', 'dribble', 'channel-status', 'black-hole', 'freeze']
    const names = ready.map(({ shape }) => shape.action.value).filter((name) => !detours.includes(name))
    expect(new Set(SEEN.map(([fault]) => fault.action))).toEqual(new Set(names))
  })
})
