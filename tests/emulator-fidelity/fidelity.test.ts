import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { MAY_REPLACE, OF_AN_ACCOUNT, type Row, type Service, startService } from './service.ts'

/*
 * Twelve promises of Snowpipe Streaming, each from a documented or observed fact, asked over plain HTTP. By default the emulator is
 * asked; with SNOWHAT_FIDELITY_URL an account (docs/emulator.md says how, and what it costs). What an account answers otherwise is
 * where the emulator is wrong.
 */

/** Eight rows, made by zstd 1.5 at level 19 (a compressor is not to be had on every Node). Their uuid are the same in each run. */
const ZSTD_ROWS = Buffer.from(
  'KLUv/WSwANUCAGJEDxGQfYigGwjQysyUQj/wsuumDqCvpVRKCJ1jTCmgExbs4yACGZdi/LdK2sa3+fff3/Ewj0eHy3gHFlzUOvAOqBD4+v8Z8DUDEC7G///NA6Kz9RETm09KAfXpyxQ=',
  'base64',
)
const ZSTD_UUID = 'zstd-of-the-reference-compressor'

const RUN = randomUUID()

/** A row of this run; both columns are in every table of the tests. */
function row(what: string, seq: unknown = 1): Row {
  return { uuid: `${RUN}-${what}`, seq }
}

describe(`the service at ${process.env.SNOWHAT_FIDELITY_URL ?? 'an emulator of its own'}`, () => {
  let service: Service
  const names: string[] = []

  const closing: (() => void | Promise<void>)[] = []

  beforeAll(async () => {
    service = await startService((close) => closing.unshift(close))
  })

  afterAll(async () => {
    // Channels count against a limit.
    for (const name of names) await service.drop(name)
    for (const close of closing) await close()
  })

  /** A channel nobody has used, opened: its name and first token. */
  async function opened(): Promise<{ name: string; token: string }> {
    const name = `fidelity-${randomUUID()}`
    names.push(name)
    return { name, token: await reopened(name) }
  }

  async function reopened(name: string): Promise<string> {
    const reply = await service.open(name)
    expect(reply.status, reply.text).toBe(200)
    return reply.json.next_continuation_token
  }

  async function appended(name: string, token: string, rows: Parameters<Service['append']>[2], end: string) {
    const reply = await service.append(name, token, rows, end)
    expect(reply.status, reply.text).toBe(200)
    return reply.json.next_continuation_token as string
  }

  it('1. a token that was used is answered with 200 and the next token again, and stores nothing', async () => {
    const { name, token } = await opened()
    const next = await appended(name, token, [row('1-a')], '1')
    expect(await appended(name, token, [row('1-a')], '1')).toBe(next)
    await service.committed(name, '1')
    // Also after the commit, and also with other rows: those are lost.
    expect(await appended(name, token, [row('1-b')], '2')).toBe(next)
    await appended(name, next, [row('1-c')], '3')
    const status = await service.committed(name, '3')
    expect(status.rows_parsed).toBe(2)
    expect(await service.rowCount(`${RUN}-1-`)).toBe(2)
  })

  it('2. a token of an older open is refused with 400 STALE_CONTINUATION_TOKEN_SEQUENCER', async () => {
    const { name, token } = await opened()
    await reopened(name)
    const reply = await service.append(name, token, [row('2')], '1')
    expect([reply.status, reply.json.code]).toEqual([400, 'STALE_CONTINUATION_TOKEN_SEQUENCER'])
    expect(await service.rowCount(`${RUN}-2`)).toBe(0)
  })

  it('3. an open discards what has not committed, or with fail_on_uncommitted_rows waits for it with 409', async () => {
    const { name, token } = await opened()
    const release = await service.holdCommits()
    await appended(name, token, [row('3-discarded')], '1')
    const after = await reopened(name)
    await appended(name, after, [row('3-kept')], '2')
    const refused = await service.open(name, { fail_on_uncommitted_rows: true })
    expect([refused.status, refused.json.code]).toEqual([409, 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA'])
    await release()
    await service.committed(name, '2')
    const taken = await service.open(name, { fail_on_uncommitted_rows: true })
    expect([taken.status, taken.json.channel_status.last_committed_offset_token]).toEqual([200, '2'])
    expect(await service.rowCount(`${RUN}-3-`)).toBe(1)
  })

  it('4. the committed offset token rises in jumps, and not by every value', async () => {
    const { name, token } = await opened()
    const release = await service.holdCommits()
    let next = token
    for (let i = 1; i <= 20; i += 1) next = await appended(name, next, [row(`4-${i}`)], String(i))
    const seen = new Set<number>()
    await release()
    await eventually(
      'the last one is committed',
      async () => {
        const committed = (await service.status(name)).json.channel_statuses[name].last_committed_offset_token
        if (committed !== null) seen.add(Number(committed))
        return seen.has(20)
      },
      90_000,
    )
    expect([...seen]).toEqual([...seen].toSorted((a, b) => a - b))
    expect([...seen].at(-1)).toBe(20)
    expect(seen.size).toBeLessThan(20)
  })

  it('5. a bad row fails nothing: the others go in, it is counted for good, and kept in the error table', async () => {
    const { name, token } = await opened()
    const bad = `${RUN}-5-bad`
    await appended(name, token, [row('5-a'), { uuid: bad, seq: 'not a number' }, row('5-c', 3)], '3')
    const status = await service.committed(name, '3')
    expect(status).toMatchObject({ rows_parsed: 3, rows_inserted: 2, rows_error_count: 1 })
    expect(status).toMatchObject({ last_error_offset_upper_bound: '3', channel_status_code: 'SUCCESS' })
    expect(await service.rowCount(`${RUN}-5-`)).toBe(2)
    const reopening = await service.open(name)
    expect(reopening.json.channel_status).toMatchObject({ rows_error_count: 1, last_committed_offset_token: '3' })
    const errors = `SELECT COUNT(*) FROM ERROR_TABLE(${service.table}) WHERE error_data:"$1" LIKE '%${bad}%'`
    expect(Number(await service.value(errors))).toBe(1)
  })

  it('6. bulk status leaves out the names it does not know', async () => {
    const { name } = await opened()
    const reply = await service.status(name, 'never-opened')
    expect([reply.status, Object.keys(reply.json.channel_statuses)]).toEqual([200, [name]])
  })

  it('7. a channel that was dropped begins anew: no committed token, no counts', async () => {
    const { name, token } = await opened()
    await appended(name, token, [row('7')], '1')
    await service.committed(name, '1')
    expect(Math.floor((await service.drop(name)).status / 100)).toBe(2)
    expect((await service.status(name)).json.channel_statuses).toEqual({})
    const stale = await service.append(name, token, [row('7-late')], '2')
    expect(stale.status).toBeGreaterThanOrEqual(400)
    const { channel_status: status } = (await service.open(name)).json
    expect(status.last_committed_offset_token ?? null).toBeNull()
    expect(status).toMatchObject({ rows_parsed: 0, rows_inserted: 0, rows_error_count: 0 })
    expect(await service.rowCount(`${RUN}-7`)).toBe(1)
  })

  it('8. the ingest host and the scoped token come as plain text', async () => {
    const host = await service.account('GET', '/v2/streaming/hostname')
    expect([host.status, host.json]).toEqual([200, undefined])
    expect(host.text.trim()).toMatch(/^[\w.-]+$/)
    const token = await service.exchange(host.text.trim().replaceAll('_', '-'))
    expect([token.status, token.json]).toEqual([200, undefined])
    const [, claims = ''] = token.text.trim().split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).exp).toEqual(expect.any(Number))
  })

  it('9. a body may be plain, gzip or zstd, its lines end with CRLF, and the last newline be missing', async () => {
    const { name, token } = await opened()
    const before = await service.rowCount(ZSTD_UUID)
    const line = (what: string) => JSON.stringify(row(`9-${what}`))
    const size = 'x-snowflake-uncompressed-content-length'
    const bodies = [
      { body: `${line('a')}\n${line('b')}\n` },
      { body: `${line('c')}\r\n${line('d')}\r\n` },
      { body: `${line('e')}\n${line('f')}` },
      { body: gzipSync(`${line('g')}\n`), headers: { 'content-encoding': 'gzip' } },
      { body: ZSTD_ROWS, headers: { 'content-encoding': 'zstd' } },
      { body: ZSTD_ROWS, headers: { 'content-encoding': 'zstd', [size]: '432' } },
    ]
    let next = token
    for (const [i, body] of bodies.entries()) next = await appended(name, next, body, String(i + 1))
    const status = await service.committed(name, '6')
    expect(status).toMatchObject({ rows_inserted: 7 + 16, rows_error_count: 0 })
    expect(await service.rowCount(`${RUN}-9-`)).toBe(7)
    expect((await service.rowCount(ZSTD_UUID)) - before).toBe(16)
  })

  it.skipIf(!MAY_REPLACE)('10. a table that was replaced has taken the state of its channels with it', async () => {
    const { name, token } = await opened()
    await appended(name, token, [row('10-replaced')], '1')
    await service.committed(name, '1')
    await service.replaceTable()
    const late = await service.append(name, token, [row('10-late')], '2')
    expect(late.status).toBeGreaterThanOrEqual(400)
    expect((await service.open(name)).json.channel_status.last_committed_offset_token ?? null).toBeNull()
  })

  it.skipIf(OF_AN_ACCOUNT)('10. a channel that was idle for 30 days is gone, with its committed token', async () => {
    const { name, token } = await opened()
    await appended(name, token, [row('10-expired')], '1')
    await service.committed(name, '1')
    const later = async (by: string) => {
      await service.disturb([{ action: 'skew-clock', by }])
      service.signOut()
    }
    await later('29d')
    expect(Object.keys((await service.status(name)).json.channel_statuses)).toEqual([name])
    await later('31d')
    expect((await service.status(name)).json.channel_statuses).toEqual({})
    expect((await service.open(name)).json.channel_status.last_committed_offset_token).toBeNull()
    await service.disturb([])
    service.signOut()
  })

  it('11. of two clients with one channel the last to open has it, and the other is told', async () => {
    const { name, token: first } = await opened()
    const second = await reopened(name)
    const loser = await service.append(name, first, [row('11-loser')], '1')
    expect([loser.status, loser.json.code]).toEqual([400, 'STALE_CONTINUATION_TOKEN_SEQUENCER'])
    const next = await appended(name, second, [row('11-winner')], '1')
    // That the loser tries again does no harm to the winner.
    expect((await service.append(name, first, [row('11-loser')], '1')).status).toBe(400)
    await appended(name, next, [row('11-winner-2')], '2')
    await service.committed(name, '2')
    expect(await service.rowCount(`${RUN}-11-`)).toBe(2)
  })

  it('12. an Elastic append whose answer was lost is stored twice when it is sent again', async () => {
    await service.disturb([{ operation: 'append', channel: 'ELASTIC', action: 'lose-answer', count: 1 }])
    const requestId = randomUUID()
    const rows = [row('12')]
    // An account answers: to the service it is the same.
    await service.appendElastic(rows, requestId, 0).catch(() => undefined)
    const again = await service.appendElastic(rows, requestId, 1)
    expect(again.status, again.text).toBe(200)
    await service.holdsRows(`${RUN}-12`, 2)
  })
})
