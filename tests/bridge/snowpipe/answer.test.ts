import { describe, expect, it } from 'vitest'
import { readAnswer, textOrField } from '../../../bridge/snowpipe/answer.ts'
import { readChannelStatus } from '../../../bridge/snowpipe/status.ts'

const read = (text: string, headers: Record<string, string | string[]> = {}) => readAnswer(400, headers, text)

describe('an answer', () => {
  it.each([
    [
      '{"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"Please reopen"}',
      'STALE_CONTINUATION_TOKEN_SEQUENCER',
      'Please reopen',
    ],
    ['{"error_code":"ERR_X","message":"m"}', 'ERR_X', 'm'],
    ['{"code":"","error_code":"ERR_X","message":"m"}', 'ERR_X', 'm'],
    ['{"status_code":4,"message":"stale"}', '4', 'stale'],
    ['{"status_code":0,"message":"Data buffered successfully"}', '', 'Data buffered successfully'],
    ['{"code":"A","error_code":"B","status_code":3,"message":"m"}', 'A', 'm'],
    ['{"code":390144,"message":"JWT"}', '390144', 'JWT'],
    ['{"code":"ERR_X","message":"m","result_handler":"x"}', 'ERR_X', 'm'],
    [
      '"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"',
      'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
      'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
    ],
    [
      'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
      'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
      'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
    ],
    ['"STALE_PIPE_CACHE"', 'STALE_PIPE_CACHE', 'STALE_PIPE_CACHE'],
    ['<html><body>502 Bad Gateway</body></html>', '', '<html><body>502 Bad Gateway</body></html>'],
    ['no healthy upstream', '', 'no healthy upstream'],
    ['', '', ''],
    ['null', '', 'null'],
    ['[]', '', '[]'],
    ['42', '', '42'],
    ['{"message":5}', '', '{"message":5}'],
  ])('that reads %s names the code %j and says %j', (text, code, message) => {
    expect(read(text)).toMatchObject({ status: 400, code, message })
  })

  it('is cut to what a log line can bear', () => {
    expect(read('x'.repeat(9_000)).message).toHaveLength(500)
  })

  it('says how long to wait, when it does', () => {
    expect(read('', { 'retry-after': '7' }).retryAfterMs).toBe(7_000)
    for (const text of ['0', '-1', 'soon', '']) expect(read('', { 'retry-after': text }).retryAfterMs).toBeUndefined()
    expect(read('').retryAfterMs).toBeUndefined()
    // A time of day is of the server's clock, whatever ours says.
    const headers = { 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT', date: 'Sun, 22 Nov 2026 12:00:00 GMT' }
    expect(read('', headers).retryAfterMs).toBe(30_000)
    // A day would be a mistake, and rows are waiting.
    expect(read('', { 'retry-after': '86400' }).retryAfterMs).toBe(300_000)
  })

  it('tells the time of the server', () => {
    expect(read('', { date: 'Sun, 22 Nov 2026 12:00:00 GMT' }).serverTime).toBe(Date.UTC(2026, 10, 22, 12))
    expect(read('', { date: ['Sun, 22 Nov 2026 12:00:00 GMT'] }).serverTime).toBe(Date.UTC(2026, 10, 22, 12))
    expect(read('', { date: 'noon' }).serverTime).toBeUndefined()
  })
})

describe('a host name or a token', () => {
  it.each([
    ['host.example\n', 'host.example'],
    ['"host.example"', 'host.example'],
    ['{"hostname":"host.example"}', 'host.example'],
    ['{"ingest_host":" host.example "}', 'host.example'],
    ['', undefined],
    ['""', undefined],
    ['{"hostname":""}', undefined],
    ['{"hostname":5}', undefined],
    ['{}', undefined],
    ['null', undefined],
  ])('in %j is %j', (text, expected) => {
    expect(textOrField(readAnswer(200, {}, text).body, 'hostname', 'ingest_host')).toBe(expected)
  })
})

describe('the status of a channel', () => {
  it('is read as Snowflake writes it', () => {
    expect(
      readChannelStatus({
        channel_status_code: 'SUCCESS',
        last_committed_offset_token: '1.own1.aaaaaaaa.9',
        created_on_ms: 1_792_000_000_123,
        rows_inserted: 8,
        rows_parsed: 9,
        rows_error_count: 1,
        last_error_message: 'Numeric value is not recognized',
      }),
    ).toEqual({
      code: 'SUCCESS',
      committed: '1.own1.aaaaaaaa.9',
      createdOnMs: 1_792_000_000_123,
      rowsParsed: 9,
      rowsErrorCount: 1,
      lastErrorMessage: 'Numeric value is not recognized',
    })
  })

  it.each([{ last_committed_offset_token: null }, { last_committed_offset_token: '' }, {}, null, undefined, 'x'])(
    'of a channel that never committed (%j) has no token',
    (value) => {
      expect(readChannelStatus(value)).toMatchObject({
        committed: null,
        createdOnMs: null,
        rowsParsed: 0,
        lastErrorMessage: null,
      })
    },
  )

  it('counts errors under both names they are known by, and numbers sent as text', () => {
    expect(readChannelStatus({ rows_errors: 3 }).rowsErrorCount).toBe(3)
    expect(readChannelStatus({ rows_parsed: '12', created_on_ms: '99' })).toMatchObject({
      rowsParsed: 12,
      createdOnMs: 99,
    })
  })
})
